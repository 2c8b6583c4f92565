# Shared by the programs in bin/: finds a Node that runs the sources, and becomes it.
#
# Knows: `here` (the real bin directory), `script` (below the repository), `name` (the dialect; empty for none), `flags` (Node's; may be unset).
# Does not know: what the program does. Uses no external command on the way, since every start pays for it.

root=${here%/*}
node=$root/node_modules/.bin/node
if [ ! -x "$node" ]; then
  node=$(command -v node || true)
  major=0
  if [ -n "$node" ]; then
    major=$("$node" -p 'process.versions.node.split(".")[0]')
  fi
  if [ "$major" -lt 24 ]; then
    echo "slipway: needs Node 24 or later; run \`npm start\` once in $root, which brings it" >&2
    exit 125
  fi
fi
# Stripped and compiled sources are kept between calls, where only the owner of the sources can write: never in /tmp.
# Beside the modules and by relative paths, so that lab machines, which see both read-only and elsewhere, read it too.
NODE_COMPILE_CACHE=$root/node_modules/.cache/slipway
NODE_COMPILE_CACHE_PORTABLE=1
export NODE_COMPILE_CACHE NODE_COMPILE_CACHE_PORTABLE
# Does what needs no plan by itself, and becomes the rest of its words for everything else.
verbs=$root/apps/cli/native/build/slipway-verbs
if [ "$name" = runc ] && [ -x "$verbs" ]; then
  exec "$verbs" "$node" "$root/$script" "$name" "$@"
fi
if [ -n "$name" ]; then
  exec "$node" ${flags:-} "$root/$script" "$name" "$@"
fi
exec "$node" ${flags:-} "$root/$script" "$@"
