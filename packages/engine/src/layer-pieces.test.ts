import { PAYLOAD_LIMIT, showPayload } from '@slipway/journal';
import { type Descriptor, digestOf } from '@slipway/oci';
import { expect, test } from 'vitest';
import { layerPieces } from './layer-pieces.ts';

const layers = (count: number, more: Partial<Descriptor> = {}): Descriptor[] =>
  Array.from({ length: count }, (_, at) => ({
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest: digestOf(String(at)),
    size: at * 1000,
    ...more,
  }));

test('127 layers come in pieces, each of which a payload takes, and nothing is lost or out of order', () => {
  const all = layers(127);
  expect(JSON.stringify(all).length, 'more than one payload').toBeGreaterThan(PAYLOAD_LIMIT);

  const pieces = layerPieces(all);

  expect(pieces.length).toBeGreaterThan(1);
  expect(pieces.flatMap((piece) => piece.layers)).toEqual(all);
  expect(pieces.map(({ from }) => all[from])).toEqual(pieces.map((piece) => piece.layers[0]));
  for (const piece of pieces) expect(JSON.parse(showPayload(piece) ?? '')).toEqual(piece);
});

test('annotations, of any length, are not told', () => {
  const [piece, ...rest] = layerPieces(layers(2, { annotations: { note: 'x'.repeat(PAYLOAD_LIMIT) } }));
  expect(rest).toEqual([]);
  expect(piece?.layers).toEqual(layers(2));
});

test('what needs a payload alone gets one; no layers, no piece', () => {
  expect(layerPieces(layers(3), 200).map(({ from }) => from)).toEqual([0, 1, 2]);
  expect(layerPieces([])).toEqual([]);
});
