#!/bin/sh
# Buys something in a shop: order.sh BASE_URL. The script is the chart's, whose test it is too (Helm
# reads nothing outside a chart).
exec sh "$(dirname "$0")/../../charts/store/files/smoke/order.sh" "$@"
