#!/bin/sh
# Makes the server's data folder: beside its place, then renamed, so that it is whole or not there.
# A kill at any moment is mended by the next run.
set -eu
trap 'exit 143' TERM # the first process of a container hears no signal that it does not ask for

home=/var/lib/mysql
new=$home/data.new

if [ -d "$home/data" ]; then
  echo "data folder present"
  exit 0
fi
if ! rm -rf "$new" || ! mkdir "$new"; then
  echo "the database's volume cannot be written by uid $(id -u); is fsGroup supported by its storage class?" >&2
  exit 70
fi
mysqld --initialize-insecure --datadir="$new" --character-set-server=utf8mb4 --skip-log-bin --mysqlx=OFF
sync
mv "$new" "$home/data"
sync
echo "data folder made"
