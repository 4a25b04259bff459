#!/bin/sh
# Whether the application can query: over TCP, as its own user.
MYSQL_PWD=$DATABASE_PASSWORD exec mysql --protocol=TCP --host=127.0.0.1 --user=wordpress \
  --connect-timeout=4 --batch --skip-column-names --execute='SELECT 1' wordpress >/dev/null
