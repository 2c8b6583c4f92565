# The second half of a run, a service of systemd's (boot.sh): what there has to be a systemd for, then the machine is switched off.
# $1 is how the first half ended.
. /opt/slipway/scripts/v2/inside/environment.sh
cd /opt/slipway || exit 1
node_modules/.bin/node scripts/v2/inside/systemd-main.ts >/dev/ttyS1 2>/dev/console </dev/null
second=$?
echo "exit $(($1 | second))" >/dev/ttyS1
# Lets the serial port drain: it is gone with the machine.
busybox stty -F /dev/ttyS1 raw
sync
busybox poweroff -f
