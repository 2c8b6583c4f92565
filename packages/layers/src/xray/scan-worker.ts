/**
 * The process that lists layers, and can reach nothing else: it is given their directories as descriptors, and no path.
 *
 * Knows: its arguments; how overlay marks what is deleted. Its answers are lines of JSON: entries, some hundred a line, then the end.
 * Does not know: images, or who asked.
 */
import { ConfinedDirectory, workerDescriptor } from '@slipway/kernel/worker';
import { describeFailure } from '../describe-failure.ts';
import { type WalkedEntry, walkTree } from '../pack/walk.ts';
import type { ScannedKind, ScannedLayerEntry, ScanTask } from './scanned-entry.ts';

const ENTRIES_A_LINE = 500;
const OPAQUE = ['user.overlay.opaque', 'trusted.overlay.opaque'];
const FIRST_LAYER_FD = 3;

/** @returns whether there is more than may be told */
function scan({ layers, maxEntries }: ScanTask): boolean {
  let told = 0;
  let line: ScannedLayerEntry[] = [];
  for (let layer = 0; layer < layers; layer += 1) {
    for (const entry of walkTree(ConfinedDirectory.fromDescriptor(FIRST_LAYER_FD + layer))) {
      if (told >= maxEntries) {
        workerDescriptor.answer({ entries: line });
        return true;
      }
      told += 1;
      line.push(describe(layer, entry));
      if (line.length < ENTRIES_A_LINE) continue;
      workerDescriptor.answer({ entries: line });
      line = [];
    }
  }
  workerDescriptor.answer({ entries: line });
  return false;
}

function describe(layer: number, { path, name, parent, stat, xattrs }: WalkedEntry): ScannedLayerEntry {
  const kind = kindOf(stat);
  return {
    layer,
    path,
    kind,
    sizeBytes: kind === 'file' ? Number(stat.size) : 0,
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    ...(kind === 'file' && stat.nlink > 1n ? { inode: String(stat.ino) } : {}),
    ...(kind === 'symlink' ? { target: parent.readLink(name) } : {}),
    ...(kind === 'directory' && OPAQUE.some((key) => xattrs.has(key)) ? { opaque: true } : {}),
  };
}

function kindOf(stat: WalkedEntry['stat']): ScannedKind {
  if (stat.isCharacterDevice() && stat.rdev === 0n) return 'whiteout';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  return stat.isFile() ? 'file' : 'device';
}

workerDescriptor.endWithParent();
try {
  const truncated = scan(JSON.parse(process.argv[2] ?? '{}') as ScanTask);
  workerDescriptor.answer({ ok: true, truncated });
} catch (error) {
  workerDescriptor.answer(describeFailure(error, 'layers could not be listed'));
}
