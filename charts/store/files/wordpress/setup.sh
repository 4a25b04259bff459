#!/bin/sh
# Runs set-up, and ends when it is told to: the first process of a container hears no signal that it
# does not ask for, and a pod that goes would wait out its whole grace period.
set -eu
php /etc/urumi/setup.php &
trap 'kill -KILL $!; exit 143' TERM
wait $!
