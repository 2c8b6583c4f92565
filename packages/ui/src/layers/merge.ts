/**
 * What the container sees in a directory, made of what each layer has in it; and what deleting would do.
 *
 * Knows: overlay's rules: the topmost layer that has a name decides, directories are merged, a whiteout hides.
 * Does not know: where the layers' answers come from. Pure.
 */
import type { LayerEntryKind, LayerLook } from '@slipway/contracts';
import { formatBytes } from '../base/format.ts';

export interface MergedEntry {
  readonly name: string;
  /** Of the topmost layer's; `whiteout`: the container does not see it. */
  readonly kind: LayerEntryKind;
  readonly sizeBytes: number;
  /** Which layer decides, as an index into the answers (lowest first). */
  readonly servedBy: number;
  /** Layers below that have the name, topmost first; of a directory they are merged, of anything else covered. */
  readonly below: readonly number[];
  /** Bytes on disk of files that are covered: stored, and never seen. */
  readonly coveredBytes: number;
}

/** By name. Names that are whited out and exist nowhere below are left out: nothing is hidden. */
export function mergeLayers(layers: readonly LayerLook[]): readonly MergedEntry[] {
  const found = new Map<string, MergedEntry>();
  for (const { entries, index, buried } of fromTheTop(layers)) {
    for (const { name, kind, sizeBytes, blocksBytes } of entries) {
      const above = found.get(name);
      if (above === undefined) {
        if (!buried) found.set(name, { name, kind, sizeBytes, servedBy: index, below: [], coveredBytes: 0 });
      } else if (kind !== 'whiteout') {
        found.set(name, { ...above, below: [...above.below, index], coveredBytes: above.coveredBytes + blocksBytes });
      }
    }
  }
  const entries = [...found.values()].filter(({ kind, below }) => kind !== 'whiteout' || below.length > 0);
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** With whether a layer above hides all of it. */
function fromTheTop(layers: readonly LayerLook[]) {
  const top = layers.findLastIndex(({ hides }) => hides);
  return layers.map(({ entries }, index) => ({ entries, index, buried: index < top })).toReversed();
}

/** @param writable index of the writable layer: the topmost */
export function deletionSentence(entry: MergedEntry, writable: number): string {
  const { kind, servedBy, below, sizeBytes } = entry;
  if (kind === 'whiteout') {
    return 'It is deleted already: the whiteout covers it. Without the whiteout it would be back, since the layer below still has it.';
  }
  const what = kind === 'directory' ? 'the directory and all in it' : kind === 'file' ? `all ${formatBytes(sizeBytes)}` : 'it';
  if (servedBy !== writable) {
    return `The container would see it no more. On disk nothing gets smaller: the image keeps ${what}, and the writable layer gets a whiteout of this name.`;
  }
  if (below.length === 0)
    return `The writable layer would lose ${what}, and nothing would be left: no layer below has it, so no whiteout is needed.`;
  return `The writable layer would lose ${what} and get a whiteout instead, because a layer below has the name as well. That one stays.`;
}
