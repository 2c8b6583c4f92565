/**
 * `COPY --parents`: sources keep the directories above them, all of them or those behind `/./`.
 *
 *     COPY --parents src/./lib/*.so /app/      src/lib/a.so  ──▶  /app/lib/a.so
 *
 * Knows: which directories come along.
 * Does not know: where the tree comes from.
 */
import { type CopyMember, type CopyTo, memberAt, stays } from './copy.ts';
import { stepError } from './failure.ts';
import { cleanPath, type FileTree } from './file-tree.ts';
import { matcherOf } from './patterns.ts';

/** Where a source's directories begin to count, and the rest; neither has a slash at either end. */
export function splitAtPivot(source: string): { readonly base: string; readonly rest: string } {
  const at = source.indexOf('/./');
  return { base: at < 0 ? '' : cleanPath(source.slice(0, at)), rest: cleanPath(at < 0 ? source : source.slice(at + 3)) };
}

/** Members in order, each once. Links above a source are not followed. @throws EngineError `invalid-argument` / `E_BUILD_STEP` */
export function planCopyWithParents(tree: FileTree, sources: readonly string[], to: CopyTo): readonly CopyMember[] {
  const members = new Map<string, CopyMember>();
  for (const source of sources) {
    const { base, rest } = splitAtPivot(source);
    const from = tree.resolve(base);
    const prefix = from === '' || from === undefined ? '' : `${from}/`;
    const wanted = from === undefined ? new Set<string>() : wantedPaths(tree, prefix, rest, to.line);
    if (wanted.size === 0) throw stepError(to.line, `no source files match ${JSON.stringify(source.slice(0, 200))}`);
    for (const path of tree.paths()) {
      const relative = path.slice(prefix.length);
      const node = path.startsWith(prefix) && wanted.has(relative) && stays(relative, to) ? tree.get(path) : undefined;
      if (node === undefined) continue;
      const member = memberAt(tree, node, `${to.destination}/${relative}`, to);
      members.set(member.path, member);
    }
  }
  return [...members.values()];
}

/** Below `prefix`: what fits, everything in it, and the directories above it. */
function wantedPaths(tree: FileTree, prefix: string, pattern: string, line: number): ReadonlySet<string> {
  const matcher = matcherOf(pattern, line);
  const wanted = new Set<string>();
  for (const path of tree.paths()) {
    if (!path.startsWith(prefix)) continue;
    const parts = path.slice(prefix.length).split('/');
    const above = parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
    if (pattern === '' || above.some((each) => matcher(each))) for (const each of above) wanted.add(each);
  }
  return wanted;
}
