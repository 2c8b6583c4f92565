/**
 * The process that packs a layer or a part of a tree, and can reach nothing else.
 *
 * It is given descriptors, and at most one path, that of a mount which it alone sees. What is in the tree was written by strangers, and may
 * be changing while it is read: every name is a single step from an open directory. The archive goes to a pipe, the answer is one line of
 * JSON on stdout.
 *
 * Knows: its arguments.
 * Does not know: images, containers, or who asked.
 */
import { ConfinedDirectory, workerDescriptor } from '@slipway/kernel/worker';
import { describeFailure } from '../describe-failure.ts';
import type { Change } from './change.ts';
import { comparedChanges } from './compare-trees.ts';
import { MemberWriter } from './members.ts';
import { lowerView, madeForMounts, overlayChanges, removeMade } from './overlay-changes.ts';
import type { PackAnswer, PackTask, PackTree } from './pack-protocol.ts';
import { PackStream } from './pack-stream.ts';
import { describePart, partChanges, wholeTree } from './tree-part.ts';

async function pack(task: PackTask): Promise<PackAnswer> {
  const { tree, form, latestMtime, level, outputFd } = task;
  if (tree.kind === 'tree' && tree.part?.statOnly === true) return { ok: true, stat: describePart(rootOf(tree), tree.part) };
  const writer = new MemberWriter(latestMtime === undefined ? {} : { latestMtime });
  const stream = new PackStream();
  const bytes = form === 'changes' ? stream.blob(listed(tree), 'none') : stream.blob(writer.archive(changesOf(tree)), form, level);
  for await (const piece of bytes) workerDescriptor.write(outputFd, piece);
  if (tree.kind === 'overlay' && tree.settle) settle(tree);
  const { tarBytes, diffId, blobBytes, blobDigest } = stream;
  return {
    ok: true,
    report: { members: writer.members, fileBytes: writer.fileBytes, tarBytes, diffId, blobBytes, blobDigest, warnings: writer.warnings },
  };
}

function changesOf(tree: PackTree): Iterable<Change> {
  if (tree.kind === 'tree') return tree.part === undefined ? wholeTree(rootOf(tree)) : partChanges(rootOf(tree), tree.part);
  const own = ConfinedDirectory.fromDescriptor(3);
  if (tree.kind === 'compare') return comparedChanges(own, ConfinedDirectory.fromDescriptor(4), tree.mountPoints);
  return overlayChanges({ upper: own, lowers: lowersOf(tree.lowerCount), mountPoints: tree.mountPoints });
}

function settle({ lowerCount, mountPoints }: PackTree & { kind: 'overlay' }): void {
  const upper = ConfinedDirectory.fromDescriptor(3);
  removeMade(upper, madeForMounts(upper, lowerView(lowersOf(lowerCount)), mountPoints));
}

function rootOf(tree: PackTree & { kind: 'tree' }): ConfinedDirectory {
  return tree.mountedAt === undefined ? ConfinedDirectory.fromDescriptor(3) : ConfinedDirectory.open(tree.mountedAt);
}

function lowersOf(count: number): ConfinedDirectory[] {
  return Array.from({ length: count }, (_, index) => ConfinedDirectory.fromDescriptor(4 + index));
}

/** One line a path, `{"path":"/etc/motd","kind":"added"}`. A directory that only something else changed in is not told. */
function* listed(tree: PackTree): Generator<Uint8Array> {
  const lowers = tree.kind === 'overlay' ? lowersOf(tree.lowerCount) : tree.kind === 'compare' ? [ConfinedDirectory.fromDescriptor(4)] : [];
  const below = lowerView(lowers);
  for (const change of changesOf(tree)) {
    const path = change.kind === 'entry' ? change.entry.path : change.path;
    const line = (kind: string) => Buffer.from(`${JSON.stringify({ path: `/${path}`, kind })}\n`);
    if (change.kind === 'whiteout') yield line('deleted');
    if (change.kind !== 'entry' || path === '') continue;
    const { stat } = change.entry;
    const lower = below(path);
    if (lower === undefined) yield line('added');
    else if (
      !lower.isDirectory() ||
      !stat.isDirectory() ||
      lower.mtimeNs !== stat.mtimeNs ||
      lower.mode !== stat.mode ||
      lower.uid !== stat.uid ||
      lower.gid !== stat.gid
    )
      yield line('modified');
  }
}

workerDescriptor.endWithParent();
const task = JSON.parse(process.argv[2] ?? '{}') as PackTask;
workerDescriptor.answer(await pack(task).catch((error: unknown) => describeFailure(error, 'layer could not be packed')));
