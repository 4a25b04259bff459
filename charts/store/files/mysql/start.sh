#!/bin/sh
# Starts the server. Passwords, database and user are set at each start, before the network opens,
# so a changed Secret is a restart and a half-made first start does not exist.
set -eu
umask 077

statements=/var/run/mysqld/init.sql

# A statement of an init-file is one line; quote what SQL would take for the end of a string.
quoted() {
  case $1 in
  '' | *'
'*)
    echo "a database password in the Secret is empty or has several lines" >&2
    exit 78
    ;;
  esac
  printf '%s' "$1" | sed "s/\\\\/\\\\\\\\/g; s/'/''/g"
}

root=$(quoted "$DATABASE_ROOT_PASSWORD")
user=$(quoted "$DATABASE_PASSWORD")
cat >"$statements" <<SQL
ALTER USER 'root'@'localhost' IDENTIFIED BY '$root';
CREATE DATABASE IF NOT EXISTS wordpress CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'wordpress'@'%' IDENTIFIED BY '$user';
ALTER USER 'wordpress'@'%' IDENTIFIED BY '$user';
GRANT ALL ON wordpress.* TO 'wordpress'@'%';
SQL
unset root user DATABASE_ROOT_PASSWORD DATABASE_PASSWORD
exec mysqld --datadir=/var/lib/mysql/data --init-file="$statements" "$@"
