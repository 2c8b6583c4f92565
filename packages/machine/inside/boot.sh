#!/bin/sh
# What a lab machine's pid 1 (tini) runs: prepares the little that a fresh namespace lacks, then keeps the engine running.
# A learner may kill the engine; it comes back after a second, as on any host with a supervisor.
set -u

mkdir -p /run/lock /run/slipway

# cgroup v2 lets only leaves hold processes once controllers are handed down: pid 1 and this shell move into one of their own.
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  mkdir -p /sys/fs/cgroup/init
  echo 1 >/sys/fs/cgroup/init/cgroup.procs
  echo 0 >/sys/fs/cgroup/init/cgroup.procs
  for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
    echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null || true
  done
fi

# The lessons' images, as a registry that needs no network and is asked before docker.io; what a learner pushes goes there too.
registry=
if [ -f /srv/images/index.json ]; then
  registry='--registry-listen 127.0.0.1:5000 --registry-images /srv/images --registry-mirror docker.io=http://127.0.0.1:5000'
fi

# A second engine for who wants to compare, which keeps whole copies where this one keeps layers:
#   slipwayd --config /etc/slipway/native.toml &      and then docker -H unix:///run/native.sock …
mkdir -p /etc/slipway
cp -n /usr/lib/slipway/packages/machine/inside/native.toml /etc/slipway/ 2>/dev/null || true

while :; do
  # Of the lessons' images, those that stand unpacked on the host, once for all machines. Looked for each time: they can be unmounted.
  shared=
  if [ -f /srv/images/shared/layers.json ]; then shared='--shared-images /srv/images/shared'; fi
  /usr/local/bin/slipwayd --root /var/lib/slipway --state /run/slipway --docker-socket /run/docker.sock \
    --lab-socket /run/slipway-lab/journal.sock --keep-ready process --log-level info $registry $shared >>/var/log/slipwayd.log 2>&1
  sleep 1
done
