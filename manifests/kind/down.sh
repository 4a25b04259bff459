#!/usr/bin/env bash
# Deletes the cluster that up.sh made, with all its shops; no other, and none is no error.
set -euo pipefail
cluster=urumi-stores
if ! command -v kind >/dev/null; then
  echo 'kind is not here, so there is no cluster of it' >&2
  exit 1
fi
clusters=$(kind get clusters 2>/dev/null) || {
  echo 'kind does not answer: is Docker running?' >&2
  exit 1
}
case $'\n'$clusters$'\n' in
  *$'\n'"$cluster"$'\n'*) kind delete cluster --name "$cluster" ;;
  *)
    echo "there is no cluster $cluster"
    exit
    ;;
esac
data=${URUMI_DATA_DIR:-.urumi/kind}
echo "its shops are gone with it; the records stay in $data (rm -r $data begins anew)"
