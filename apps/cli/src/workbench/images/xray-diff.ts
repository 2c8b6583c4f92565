/**
 * How the files of one image differ from those of another.
 *
 * Knows: what makes two files the same: kind, mode, owner, target, content; and how many bytes are read to find out.
 * Does not know: how the layers were listed.
 */
import type { DiffEntry, WorkbenchAnswer } from '@slipway/contracts';
import { confinedFile } from '@slipway/kernel';
import { differTrees, type LayerEntry, type TreeDifference } from '@slipway/layers';
import { withLayerFile } from './layer-file.ts';
import { fitting } from './xray-reports.ts';
import type { LayerXray } from './xrays.ts';

const MAX_ENTRIES = 1000;
const MAX_PATH = 4096;
/** Of file contents, of both images together. */
const MAX_READ_BYTES = 256 * 1024 ** 2;
const PIECE_BYTES = 1024 ** 2;

type Difference = DiffEntry['what'][number];

/** Contents are compared file by file, with room for other requests in between. */
export async function differenceOf(one: LayerXray, other: LayerXray): Promise<WorkbenchAnswer<'xrayDiff'>> {
  const sharedLayers = sharedOf(one.directories, other.directories);
  const { differences, same } = differTrees(one.tree, other.tree, sharedLayers);
  const budget = { left: MAX_READ_BYTES };
  const entries: DiffEntry[] = [];
  for (const difference of differences) {
    const entry = compare(difference, { one, other, budget });
    if (entry !== undefined) entries.push(entry);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const count = (change: DiffEntry['change']) => entries.filter((entry) => entry.change === change).length;
  return {
    entries: fitting(
      entries.filter(({ path }) => path.length <= MAX_PATH),
      MAX_ENTRIES,
    ),
    added: count('added'),
    removed: count('removed'),
    changed: count('changed'),
    same: same + differences.length - entries.length,
    sharedLayers,
  };
}

/** Both stand on the same snapshots as long as the directories are the same. */
function sharedOf(one: readonly string[], other: readonly string[]): number {
  const end = one.findIndex((directory, index) => directory !== other[index]);
  return end < 0 ? one.length : end;
}

interface Sides {
  readonly one: LayerXray;
  readonly other: LayerXray;
  readonly budget: { left: number };
}

function compare({ path, from, to }: TreeDifference, sides: Sides): DiffEntry | undefined {
  const sizes = { fromBytes: from?.sizeBytes ?? 0, toBytes: to?.sizeBytes ?? 0 };
  if (from === undefined || to === undefined) {
    const kind = (to ?? from)?.kind ?? 'file';
    return { path, change: from === undefined ? 'added' : 'removed', kind, ...sizes, what: [] };
  }
  const what = whatDiffers(path, { from, to }, sides);
  return what.length === 0 ? undefined : { path, change: 'changed', kind: to.kind, ...sizes, what };
}

function whatDiffers(path: string, { from, to }: { readonly from: LayerEntry; readonly to: LayerEntry }, sides: Sides): Difference[] {
  if (from.kind !== to.kind) return ['kind'];
  return [
    ...(from.kind === 'file' ? contentDiffers(path, { from, to }, sides) : []),
    ...(from.target === to.target ? [] : ['target' as const]),
    ...(from.mode === to.mode ? [] : ['mode' as const]),
    ...(from.uid === to.uid && from.gid === to.gid ? [] : ['owner' as const]),
  ];
}

function contentDiffers(
  path: string,
  { from, to }: { readonly from: LayerEntry; readonly to: LayerEntry },
  { one, other, budget }: Sides,
): Difference[] {
  if (from.sizeBytes !== to.sizeBytes) return ['content'];
  if (2 * from.sizeBytes > budget.left) return ['not compared'];
  budget.left -= 2 * from.sizeBytes;
  const names = path.split('/').filter((name) => name !== '');
  const [left, right] = [one.directories[from.layer] ?? '', other.directories[to.layer] ?? ''];
  const same = withLayerFile(left, names, (fd, size) => withLayerFile(right, names, (fd2) => sameBytes(fd, fd2, size)));
  return same === true ? [] : ['content'];
}

function sameBytes(one: number, other: number, sizeBytes: number): boolean {
  for (let at = 0; at < sizeBytes; at += PIECE_BYTES) {
    if (!Buffer.from(confinedFile.read(one, PIECE_BYTES, at)).equals(confinedFile.read(other, PIECE_BYTES, at))) return false;
  }
  return true;
}
