/**
 * What snapshots have at a path, without mounting them.
 *
 * Knows: overlay's top-first lookup, and whiteouts.
 * Does not know: who asks. Links are not followed: what lies behind one is somewhere else.
 */
import { ConfinedDirectory, type EntryStat } from '@slipway/kernel';
import type { Below } from '@slipway/lazy';

/** As overlay would look, topmost first, one component after the other and without following links. */
export function lookBelow(layers: readonly string[], path: string): Below {
  const parts = path.split('/').filter((part) => part !== '');
  for (const layer of layers) {
    let directory = ConfinedDirectory.open(layer);
    try {
      for (const [index, part] of parts.entries()) {
        const info = directory.stat(part);
        if (info === undefined) break;
        if (info.isCharacterDevice() && info.rdev === 0n) return { kind: 'absent' };
        if (!info.isDirectory()) return { kind: 'other' };
        if (index === parts.length - 1) return asDirectory(info);
        const child = directory.findChild(part);
        if (child === undefined) break;
        directory.close();
        directory = child;
      }
      if (parts.length === 0) return asDirectory(directory.statSelf());
    } finally {
      directory.close();
    }
  }
  return { kind: 'absent' };
}

function asDirectory({ mode, uid, gid, mtimeNs }: EntryStat): Below {
  return { kind: 'directory', mode: Number(mode), uid: Number(uid), gid: Number(gid), mtimeNs };
}
