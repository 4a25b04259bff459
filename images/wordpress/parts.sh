#!/bin/sh
# Brings what the store's image adds to WordPress into FOLDER/plugins and FOLDER/themes: WooCommerce
# and the theme Storefront, as lock.json pins them. The same fetch.php does the work that a shop on
# the plain official image runs in its init container. Safe to repeat; runs anywhere with PHP.
set -eu

if [ $# -ne 1 ]; then
  echo "usage: $0 FOLDER" >&2
  exit 64
fi
files=$(dirname "$0")/../../charts/store/files
lock=${LOCK:-$files/lock.json}
mkdir -p "$1/plugins" "$1/themes"
# What a run that was killed left behind.
for kind in plugins themes; do rm -rf "$1/$kind/.urumi-new" "$1/$kind/.urumi-old"; done
php "$files/wordpress/fetch.php" "$1/plugins" "" woocommerce "$lock"
php "$files/wordpress/fetch.php" "$1/themes" "" storefront "$lock"
