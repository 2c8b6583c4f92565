/**
 * What `COPY` and `ADD` take: files of the context, of another stage, of an image, out of archives, of the web.
 *
 * Knows: where each source is looked for.
 * Does not know: what a copy makes of it (copy.ts).
 */
import { isRemote, remoteMember } from './add-file.ts';
import type { BuildScope } from './build-scope.ts';
import { type CopyMember, type CopyTo, findSources, planCopy } from './copy.ts';
import { stepError } from './failure.ts';
import { FileTree } from './file-tree.ts';
import type { StageState } from './stage-state.ts';

/** `COPY`. */
export function contextMembers({ context }: BuildScope, sources: readonly string[], to: CopyTo): readonly CopyMember[] {
  return planCopy(context, findSources(context, sources, to.line), to);
}

/** `ADD`: archives of the context are unpacked, addresses fetched. */
export async function addedMembers(
  scope: BuildScope,
  sources: readonly string[],
  to: CopyTo & { readonly checksum?: string | undefined },
): Promise<readonly CopyMember[]> {
  const members: CopyMember[] = [];
  for (const source of sources) {
    if (isRemote(source, to.line)) members.push(await remoteMember(scope, source, to));
    else if (to.checksum !== undefined) throw stepError(to.line, 'ADD --checksum is for addresses only');
    else members.push(...(await unpackedMembers(scope, source, to)));
  }
  return members;
}

async function unpackedMembers(scope: BuildScope, source: string, to: CopyTo): Promise<readonly CopyMember[]> {
  const members: CopyMember[] = [];
  for (const path of findSources(scope.context, [source], to.line))
    members.push(...((await unpackedArchive(scope, path, to.destination)) ?? planCopy(scope.context, [path], to)));
  return members;
}

/** `COPY --from`. */
export async function stageMembers(
  scope: BuildScope,
  state: StageState,
  sources: readonly string[],
  to: CopyTo,
): Promise<readonly CopyMember[]> {
  const members: CopyMember[] = [];
  for (const source of sources) {
    // With wildcards, what the directory above holds is looked through.
    const [, above = '', last = source] = /^(.*\/)?([^/]*[*?[][^/]*)$/.exec(source) ?? [];
    const isPattern = last !== source || /[*?[]/.test(source);
    const tree = await scope.treeOf(state, isPattern ? `/${above}` : `/${source}`);
    const base =
      (isPattern ? above : source)
        .split('/')
        .filter((part) => part !== '' && part !== '.')
        .at(-1) ?? '';
    const inside = isPattern ? (base === '' ? last : `${base}/${last}`) : base;
    members.push(...planCopy(tree, findSources(tree, [inside], to.line), to));
  }
  return members;
}

/** Members of an archive in the context; undefined for a file that is none. */
async function unpackedArchive(scope: BuildScope, path: string, destination: string): Promise<readonly CopyMember[] | undefined> {
  const { context, parts } = scope;
  const node = context.get(path);
  if (node === undefined || node.entry.type !== 'file' || !(await looksLikeArchive(context.content(node)))) return undefined;
  const tree = await FileTree.read(context.content(node), { directory: parts.directory });
  scope.closeLater(() => tree.close());
  return tree.below('').map((inner) => ({
    path: `${destination}/${inner.entry.name}`.split('/').filter(Boolean).join('/'),
    node: inner,
    content: () => tree.content(inner),
  }));
}

/** gzip, zstd, or a tar's own mark. */
async function looksLikeArchive(content: AsyncIterable<Uint8Array>): Promise<boolean> {
  for await (const bytes of content) {
    const head = Buffer.from(bytes.subarray(0, 262));
    const magic = head.subarray(0, 4).toString('hex');
    return magic.startsWith('1f8b') || magic === '28b52ffd' || head.subarray(257, 262).toString('latin1') === 'ustar';
  }
  return false;
}
