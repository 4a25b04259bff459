#!/bin/sh
# WordPress' scheduled work, once set-up has ended; before that there is nothing to do.
set -eu
if ! php /etc/urumi/health.php; then
  echo "the shop is not set up yet, or its database does not answer"
  exit 0
fi
cd /usr/src/wordpress
exec php wp-cron.php
