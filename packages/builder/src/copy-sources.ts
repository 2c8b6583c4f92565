/**
 * What `COPY` and `ADD` take: files of the context, of another stage, of an image, out of archives, of the web.
 *
 * Knows: where each source is looked for.
 * Does not know: what a copy makes of it (copy.ts).
 */
import { isRemote, remoteMember } from './add-file.ts';
import { tarInside } from './added-archive.ts';
import type { BuildScope } from './build-scope.ts';
import { baseName, type CopyMember, type CopyTo, findSources, planCopy, requireRoom, stays } from './copy.ts';
import { planCopyWithParents, splitAtPivot } from './copy-parents.ts';
import { stepError } from './failure.ts';
import { FileTree } from './file-tree.ts';
import type { StageState } from './stage-state.ts';

/** With the flags that change which files come along. */
export interface SourceTo extends CopyTo {
  /** `--parents` */
  readonly keepsParents: boolean;
  /** `--exclude`: what `isExcluded` goes by. */
  readonly excludes: readonly string[];
}

/** `COPY`. */
export function contextMembers({ context }: BuildScope, sources: readonly string[], to: SourceTo): readonly CopyMember[] {
  if (to.keepsParents) return planCopyWithParents(context, sources, to);
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
  const paths = findSources(scope.context, [source], to.line);
  requireRoom(paths.length, to);
  for (const path of paths) members.push(...((await unpackedArchive(scope, path, to)) ?? planCopy(scope.context, [path], to)));
  return members;
}

/** `COPY --from`. */
export async function stageMembers(
  scope: BuildScope,
  state: StageState,
  sources: readonly string[],
  to: SourceTo,
): Promise<readonly CopyMember[]> {
  const members: CopyMember[] = [];
  for (const source of sources) {
    if (to.keepsParents) {
      members.push(...(await stageMembersWithParents(scope, state, source, to)));
      continue;
    }
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

async function stageMembersWithParents(scope: BuildScope, state: StageState, source: string, to: CopyTo): Promise<readonly CopyMember[]> {
  const { base, rest } = splitAtPivot(source);
  const tree = await scope.treeOf(state, `/${base}`);
  return planCopyWithParents(tree, [`${base.split('/').at(-1) ?? ''}/./${rest}`], to);
}

/** Members of an archive in the context; undefined for a file that is none. */
async function unpackedArchive(scope: BuildScope, path: string, to: CopyTo): Promise<readonly CopyMember[] | undefined> {
  const { context, parts } = scope;
  const node = context.get(path);
  if (node === undefined || node.entry.type !== 'file' || !stays(baseName(path), to)) return undefined;
  const tar = await tarInside(() => context.content(node));
  if (tar === undefined) return undefined;
  const tree = await FileTree.read(tar, { directory: parts.directory });
  scope.closeLater(() => tree.close());
  return tree.below('').map((inner) => ({
    path: `${to.destination}/${inner.entry.name}`.split('/').filter(Boolean).join('/'),
    node: inner,
    content: () => tree.content(inner),
  }));
}
