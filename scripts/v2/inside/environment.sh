# What every program in the virtual machine finds in its environment.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 NO_COLOR=1
# As bin/lib/launch.sh sets it: every start costs seconds here.
export NODE_COMPILE_CACHE=/opt/slipway/node_modules/.cache/slipway NODE_COMPILE_CACHE_PORTABLE=1
