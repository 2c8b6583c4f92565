/**
 * The layers of a pull or push in pieces that a span's payload takes: an image may have more than one payload holds.
 *
 * Knows: how much fits. Pure. Does not know: what the spans are for.
 */
import { PAYLOAD_LIMIT } from '@slipway/journal';
import type { Descriptor } from '@slipway/oci';

/** Characters for what else stands in the payload. */
const RESERVE = 256;

/** What a picture needs of a descriptor. */
export type LayerTold = Pick<Descriptor, 'mediaType' | 'digest' | 'size'>;

export interface LayerPiece {
  /** Place of the first one; the lowest layer has 0. */
  readonly from: number;
  readonly layers: readonly LayerTold[];
}

/** In order, lowest first; each as JSON below `limit` characters. */
export function layerPieces(layers: readonly Descriptor[], limit = PAYLOAD_LIMIT - RESERVE): readonly LayerPiece[] {
  const pieces: { readonly from: number; readonly layers: LayerTold[] }[] = [];
  let room = 0;
  for (const [from, layer] of layers.entries()) {
    const told = toldOf(layer);
    const length = JSON.stringify(told).length + 1;
    if (length > room) {
      pieces.push({ from, layers: [] });
      room = limit;
    }
    pieces.at(-1)?.layers.push(told);
    room -= length;
  }
  return pieces;
}

/** Without annotations, which are anybody's and of any length. */
export function toldOf({ mediaType, digest, size }: Descriptor): LayerTold {
  return { mediaType, digest, size };
}
