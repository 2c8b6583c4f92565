# Makes of the virtual machine's disk what a host with cgroup v2 alone looks like, runs the checks and becomes systemd.
# The layout of /sys/fs/cgroup is the one systemd makes for a login as root: a session's group is offered `memory` and `pids`
# only, and the group of its user holds no process. What the checks print goes to the second serial port.
. /opt/slipway/scripts/v2/inside/environment.sh

busybox mount -t proc -o nosuid,nodev,noexec proc /proc
busybox mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
mkdir -p /dev/pts /dev/shm /dev/mqueue
busybox mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
busybox mount -t tmpfs -o nosuid,nodev tmpfs /dev/shm
busybox mount -t mqueue mqueue /dev/mqueue
busybox mount -t tmpfs -o nosuid,nodev,mode=755 tmpfs /run
busybox mount -t tmpfs tmpfs /tmp
busybox mount -t cgroup2 -o nosuid,nodev,noexec,nsdelegate cgroup2 /sys/fs/cgroup
busybox ip link set lo up
busybox stty -F /dev/ttyS1 raw

session=/sys/fs/cgroup/user.slice/user-0.slice/session-1.scope
mkdir -p /sys/fs/cgroup/init.scope /sys/fs/cgroup/system.slice "$session"
echo '+cpuset +cpu +io +memory +pids' >/sys/fs/cgroup/cgroup.subtree_control
echo '+memory +pids' >/sys/fs/cgroup/user.slice/cgroup.subtree_control
echo '+memory +pids' >/sys/fs/cgroup/user.slice/user-0.slice/cgroup.subtree_control
echo 1 >/sys/fs/cgroup/init.scope/cgroup.procs

cd /opt/slipway || exit 1
grep -q slipway.only-systemd /proc/cmdline || (
  echo 0 >"$session/cgroup.procs"
  exec node_modules/.bin/node scripts/v2/inside/main.ts
) >/dev/ttyS1 2>/dev/console </dev/null
first=$?

# Or systemd would take this for a first boot, and ask questions.
tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
# systemd finds the groups as it would make them, and the first process in its place.
mkdir -p /run/systemd/system
cat >/run/systemd/system/checks.service <<UNIT
[Unit]
Description=the checks that need systemd
DefaultDependencies=no
[Service]
Type=oneshot
StandardOutput=null
StandardError=file:/dev/console
ExecStart=/bin/sh /opt/slipway/scripts/v2/inside/systemd.sh $first
UNIT
exec /lib/systemd/systemd --unit=checks.service
