#!/usr/bin/env bash
# A cluster on this machine with kind: the cluster, the images that Docker has, the ingress
# controller, and then the service against it. Safe to repeat: what is there stays.
#   START=no                     the cluster alone; says how to start the service
#   KIND_PORTS='8080:8443'       http:https on this machine, tried in turn (default: 80:443 8080:8443)
#   URUMI_IMAGE_WORDPRESS=...    an image of your own, instead of the one that is built here
set -euo pipefail
cd "$(dirname "$0")/../.."

cluster=urumi-stores
node=$cluster-control-plane
here=manifests/kind
# Apart from the sandbox's records: stores of a simulation are not to come up on a real cluster.
data=${URUMI_DATA_DIR:-.urumi/kind}
lock() { "${PYTHON:-python3}" images/lock.py --lock "${LOCK:-charts/store/files/lock.json}" "$@"; }
kube() { kubectl --kubeconfig "$data/kubeconfig" "$@"; }
say() { echo "== $*"; }

need() {
  local missing=0 program
  for program in docker kind kubectl; do
    command -v "$program" >/dev/null && continue
    missing=1
    case $program in
      docker) echo 'docker is not here: install Docker, https://docs.docker.com/get-started/get-docker/' >&2 ;;
      kind) echo 'kind is not here: install kind, https://kind.sigs.k8s.io/docs/user/quick-start/#installation' >&2 ;;
      kubectl) echo 'kubectl is not here: install kubectl, https://kubernetes.io/docs/tasks/tools/' >&2 ;;
    esac
  done
  [[ $missing == 0 ]] || exit 1
  if ! docker info >/dev/null 2>&1; then
    echo 'docker does not answer: start it; docker info says more' >&2
    exit 1
  fi
  # Its network plugin enforces NetworkPolicies from then on.
  if [[ $(kind version) =~ v0\.([0-9]+)\. && ${BASH_REMATCH[1]} -lt 24 ]]; then
    echo 'this kind is older than 0.24: the network policies that keep shops apart have no effect on it' >&2
  fi
}

in_use() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_ports() {
  local pair
  for pair in ${KIND_PORTS:-80:443 8080:8443}; do
    if ! in_use "${pair%:*}" && ! in_use "${pair#*:}"; then
      echo "$pair"
      return
    fi
  done
  echo "no free ports among ${KIND_PORTS:-80:443 8080:8443}: name others, KIND_PORTS='8081:8444' make kind" >&2
  return 1
}

create() {
  local ports
  ports=$(free_ports)
  say "making cluster $cluster, reached at port ${ports%:*}"
  sed "s/hostPort: 80$/hostPort: ${ports%:*}/; s/hostPort: 443$/hostPort: ${ports#*:}/" "$here/cluster.yaml" |
    kind create cluster --config -
  if [[ -e $data/urumi.db ]]; then
    echo "$data holds the records of an earlier cluster, whose shops are lost with it; rm -r $data begins anew" >&2
  fi
}

load() {
  if docker image inspect "$1" >/dev/null 2>&1; then
    say "loading $1"
    kind load docker-image --name "$cluster" "$1"
  fi
}

# What Docker has need not be pulled by the node; if it cannot be handed over, the node pulls it.
images() {
  local image
  image=${URUMI_IMAGE_WORDPRESS:-}
  if [[ -z $image ]] && lock base >/dev/null; then
    image=urumi-wordpress:$(lock tag)
    IMAGE='' images/wordpress/build.sh
    export URUMI_IMAGE_WORDPRESS=$image
  elif [[ -z $image ]]; then
    echo 'so stores run on the plain official image, and shops (engine woocommerce) cannot be set up yet; the engine wordpress can' >&2
  fi
  # One that only Docker here has must get there.
  if [[ -n $image ]]; then load "$image"; fi
  for image in "${URUMI_IMAGE_MYSQL:-mysql:8.4}" wordpress:6.9-php8.4-apache traefik:v3.7.13; do
    load "$image" || echo "$image could not be handed over; the node pulls it" >&2
  done
}

need
clusters=$(kind get clusters 2>/dev/null) || {
  echo 'kind does not answer; kind get clusters says more' >&2
  exit 1
}
case $'\n'$clusters$'\n' in
  *$'\n'"$cluster"$'\n'*)
    say "cluster $cluster is there"
    docker start "$node" >/dev/null # after this machine was off
    ;;
  *) create ;;
esac
(umask 077 && mkdir -p "$data" && kind get kubeconfig --name "$cluster" >"$data/kubeconfig")
kube wait --for=condition=Ready nodes --all --timeout=180s
images
say 'ingress controller'
kube apply --server-side -f "$here/traefik.yaml"
kube --namespace traefik rollout status deployment/traefik --timeout=300s

port=$(docker port "$node" 30080/tcp)
port=${port##*:}
domain=localtest.me
[[ $port == 80 ]] || domain=localtest.me:$port
export URUMI_KUBECONFIG=$data/kubeconfig URUMI_DATA_DIR=$data URUMI_BASE_DOMAIN=${URUMI_BASE_DOMAIN:-$domain}
say "stores will be at http://store-<id>.$URUMI_BASE_DOMAIN"
told="URUMI_KUBECONFIG=$URUMI_KUBECONFIG URUMI_DATA_DIR=$URUMI_DATA_DIR URUMI_BASE_DOMAIN=$URUMI_BASE_DOMAIN"
[[ -z ${URUMI_IMAGE_WORDPRESS:-} ]] || told+=" URUMI_IMAGE_WORDPRESS=$URUMI_IMAGE_WORDPRESS"
if [[ ${START:-} == no ]]; then
  say "to start the service: $told make run"
  exit
fi
say "the command line elsewhere: export URUMI_DATA_DIR=$URUMI_DATA_DIR"
exec make --no-print-directory run
