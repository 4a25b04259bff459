#!/bin/sh
# Brings the image's themes and plugins to the volume: those that were never there, or are older.
# Each is copied beside its place and then renamed, before the web server starts, so that none is ever
# half there. What the owner added, brought to a newer version, or deleted, stays so; WooCommerce alone
# comes back where it is the engine.
set -eu
trap 'exit 143' TERM # the first process of a container hears no signal that it does not ask for

engine=$1
image=/usr/src/wordpress/wp-content
volume=/volume
brought=$volume/.urumi-brought # what was, so that the owner's deletions are known

fail() {
  echo "$1" >&2
  echo "$1" >/dev/termination-log
  exit "${2:-70}"
}

# The version that a theme or plugin says it has; empty when it says none.
version_of() {
  for header in "$1/style.css" "$1/$(basename "$1").php" "$1"/*.php; do
    [ -f "$header" ] || continue
    found=$(sed -n 's/^[[:space:]*#@/]*Version:[[:space:]]*\([^[:space:]]*\).*/\1/p' "$header" | head -n 1)
    if [ -n "$found" ]; then
      echo "$found"
      return
    fi
  done
}

# Whether version $1 is lower than version $2.
lower() {
  [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

remember() {
  grep -qxF "$1" "$brought" || echo "$1" >>"$brought"
}

bring() {
  from=$1
  to=$2
  name=$(basename "$(dirname "$to")")/$(basename "$to")
  if [ ! -d "$to" ] && ! { [ "$name" = plugins/woocommerce ] && [ "$engine" = woocommerce ]; }; then
    if grep -qxF "$name" "$brought"; then return; fi
  fi
  if [ -d "$to" ] && ! lower "$(version_of "$to")" "$(version_of "$from")"; then
    remember "$name"
    return
  fi
  new=$(dirname "$to")/.urumi-new
  old=$(dirname "$to")/.urumi-old
  cp -R "$from" "$new" || fail "the volume of the shop's files is full or broken: copying $(basename "$to") failed"
  mkdir -p "$old"
  if [ -d "$to" ]; then mv "$to" "$old/"; fi
  mv "$new" "$to"
  rm -rf "$old"
  remember "$name"
  echo "brought $name $(version_of "$to")"
}

touch "$volume/.urumi-writable" ||
  fail "the volume of the shop's files cannot be written by uid $(id -u); is fsGroup supported by its storage class?"
touch "$brought"
mkdir -p "$volume/themes" "$volume/plugins" "$volume/uploads" "$volume/upgrade"
for kind in themes plugins; do
  # A run that was killed had moved one away and not yet put the new one there.
  for moved in "$volume/$kind/.urumi-old"/*/; do
    [ -d "$moved" ] && [ ! -d "$volume/$kind/$(basename "$moved")" ] && mv "$moved" "$volume/$kind/"
  done
  rm -rf "$volume/$kind/.urumi-new" "$volume/$kind/.urumi-old"
  for from in "$image/$kind"/*/; do
    [ -d "$from" ] || continue
    bring "${from%/}" "$volume/$kind/$(basename "$from")"
  done
done
for file in index.php themes/index.php plugins/index.php; do
  if [ -f "$image/$file" ] && [ ! -f "$volume/$file" ]; then cp "$image/$file" "$volume/$file"; fi
done

# For set-up, which loads nothing of the owner's: the theme that the shop begins with.
rm -rf /tmp/urumi-themes
mkdir /tmp/urumi-themes
for from in "$image"/themes/storefront "$image"/themes/twenty*; do
  if [ -f "$from/style.css" ]; then
    cp -R "$from" /tmp/urumi-themes/
    break
  fi
done

# WooCommerce comes with the image, or else from where the settings say.
if [ "$engine" = woocommerce ] && [ ! -d "$image/plugins/woocommerce" ]; then
  php /etc/urumi/fetch.php "$volume/plugins" "$(version_of "$volume/plugins/woocommerce")" || exit $?
fi
echo "prepared for engine $engine"
