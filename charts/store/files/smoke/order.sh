#!/bin/sh
# Buys something in a shop, as a customer's browser would, by the Store API and curl alone:
#   order.sh BASE_URL          such as http://store-acme.localtest.me:8088
# The first simple product in stock, to an address in the United States, paid by cash on
# delivery; then the thank-you page, and the shop's page, which must not say "coming soon".
# The order stays in the shop, under the customer order-smoke@store.invalid: cancel it there.
#   ORDER_CONNECT_TO=HOST:PORT     speak to that one, whatever the address says
#   ORDER_FORWARDED=https          say that TLS ended before the shop, as an ingress does
#   ORDER_PRODUCT=ID               that product and not the first
#   ORDER_ADDRESS={...}            JSON: first_name, last_name, address_1, city, state, postcode, country, phone
# Prints the order's number and the milliseconds. Exits 0 when the shop took the order, 1 when it
# did not, 2 when it was called wrongly. Needs curl and sed.
set -u

BASE=${1:-}
case $BASE in
http://* | https://*) BASE=${BASE%/} ;;
*)
  echo "usage: order.sh BASE_URL, such as http://store-acme.localtest.me:8088" >&2
  exit 2
  ;;
esac
API=$BASE/wp-json/wc/store/v1
EMAIL='order-smoke@store.invalid'
DEFAULT_ADDRESS='{"first_name":"Order","last_name":"Smoke","address_1":"1 Main Street","city":"Los Angeles","state":"CA","postcode":"90001","country":"US","phone":"555-0100"}'
ADDRESS=${ORDER_ADDRESS:-$DEFAULT_ADDRESS}
WORK=$(mktemp -d) || exit 1
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM
: >"$WORK/cart"

now() { # milliseconds where date knows them
  case $(date +%N) in
  [0-9]*) echo $(($(date +%s%N) / 1000000)) ;;
  *) echo $(($(date +%s) * 1000)) ;;
  esac
}

fail() {
  echo "FAIL  $1" >&2
  exit 1
}

# ask STATUS METHOD URL [BODY]: the answer is in $WORK/body; anything but STATUS ends the script
ask() {
  expected=$1 method=$2 url=$3
  set -- -sS --connect-timeout 5 --max-time 60 --noproxy '*' -X "$method" -D "$WORK/head" -o "$WORK/body" \
    -w '%{http_code}' -H "@$WORK/cart" ${4:+-H 'Content-Type: application/json' --data-binary "$4"}
  if [ -n "${ORDER_CONNECT_TO:-}" ]; then set -- "$@" --connect-to "::$ORDER_CONNECT_TO"; fi
  if [ -n "${ORDER_FORWARDED:-}" ]; then set -- "$@" -H "X-Forwarded-Proto: $ORDER_FORWARDED"; fi
  : >"$WORK/body" && : >"$WORK/head"
  status=$(curl "$@" "$url" 2>"$WORK/error") || status=000
  if [ "$status" != "$expected" ]; then
    echo "FAIL  $method ${url#"$BASE"} answered $status, not $expected: $(cat "$WORK/error")$(head -c 400 "$WORK/body")" >&2
    exit 1
  fi
  case $url in
  "$API"*)
    grep -qi '^Content-Type: *application/json' "$WORK/head" ||
      fail "${url#"$BASE"} answered no JSON, so this is no shop of WooCommerce: $(head -c 200 "$WORK/body")"
    ;;
  esac
  # The cart is known by this header from here on: no cookie, no nonce.
  if [ ! -s "$WORK/cart" ]; then grep -i '^Cart-Token:' "$WORK/head" | tr -d '\r' >"$WORK/cart"; fi
}

# first NAME: the member's first value in the body, a number or a string
first() {
  tr -d '\n' <"$WORK/body" | sed "s/\"$1\":/\\
&/g" | sed -n "s/^\"$1\": *\"\\{0,1\\}\\([^\",}]*\\).*\$/\\1/p" | sed -n '1{s#\\/#/#g;p;}'
}

began=$(now)
ask 200 GET "$API/products?per_page=1&stock_status=instock&type=simple"
product=${ORDER_PRODUCT:-$(first id)}
[ -n "$product" ] || fail "the shop has no simple product in stock: make one, or name one by ORDER_PRODUCT"
ask 200 GET "$API/cart"
[ -s "$WORK/cart" ] || fail "the shop gave no Cart-Token"
ask 201 POST "$API/cart/add-item" "{\"id\":$product,\"quantity\":1}"
billing="${ADDRESS%\}},\"email\":\"$EMAIL\"}"
ask 200 POST "$API/cart/update-customer" "{\"billing_address\":$billing,\"shipping_address\":$ADDRESS}"
rate=$(first rate_id)
[ -n "$rate" ] || fail "no way to ship to $ADDRESS was offered"
ask 200 POST "$API/cart/select-shipping-rate" "{\"package_id\":0,\"rate_id\":\"$rate\"}"
ask 200 POST "$API/checkout" "{\"billing_address\":$billing,\"shipping_address\":$ADDRESS,\"payment_method\":\"cod\"}"
order=$(first order_id)
paid=$(first payment_status)
[ "$paid" = success ] || fail "checkout said ${paid:-nothing}: $(head -c 400 "$WORK/body")"
thanks=$(first redirect_url)
took=$(($(now) - began))
# The path alone: the shop's own idea of its address is another matter.
ask 200 GET "$BASE/${thanks#*://*/}"
ask 200 GET "$BASE/shop/"
if grep -q woo-coming-soon-page "$WORK/body"; then fail 'the shop page says "coming soon"'; fi
echo "ok    order $order was placed in $took ms"
