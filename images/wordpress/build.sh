#!/bin/sh
# Builds the store's image where Docker is. Nothing is built of parts that are not pinned.
#   IMAGE=registry.example.com/urumi-wordpress  another name (and docker push it afterwards)
set -eu
cd "$(dirname "$0")/../.."

python=${PYTHON:-python3}
lock() { "$python" images/lock.py --lock "${LOCK:-charts/store/files/lock.json}" "$@"; }

base=$(lock base)
if ! command -v docker >/dev/null; then
  echo 'docker is not here: install Docker (https://docs.docker.com/engine/install/), or use the plain official image' >&2
  exit 1
fi
if ! docker info >/dev/null 2>&1; then
  echo 'docker does not answer: start it; docker info says more' >&2
  exit 1
fi
image=${IMAGE:-urumi-wordpress}:$(lock tag)
docker build --build-arg "WORDPRESS_IMAGE=$base" --file images/wordpress/Dockerfile --tag "$image" .
echo "built $image; new stores use it with URUMI_IMAGE_WORDPRESS=$image"
