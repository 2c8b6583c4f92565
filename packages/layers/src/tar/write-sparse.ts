/**
 * Writing a file with holes: pax sparse format 1.0, where the map stands in front of the content.
 *
 *     header (stand-in name) ─ map as decimal lines, filled up to a block ─ the pieces, one behind the other ─ padding
 *
 * Knows: the format.
 * Does not know: where the holes are.
 *
 * @see https://www.gnu.org/software/tar/manual/html_node/PAX-1.html
 */
import type { PaxRecords } from './pax.ts';
import { type EntryInit, tarHeader, tarPadding } from './write.ts';

export interface Piece {
  readonly offset: number;
  readonly length: number;
}

/** The bytes before the pieces, and how many bytes of pieces must follow, filled up by {@link tarPadding} of `contentBytes`. */
export function tarSparseHeader(init: EntryInit, pieces: readonly Piece[]): { readonly head: Uint8Array; readonly contentBytes: number } {
  const realSize = init.sizeBytes ?? 0;
  const last = pieces.at(-1);
  // An empty piece at the end is how a hole there is told.
  const told = last === undefined || last.offset + last.length < realSize ? [...pieces, { offset: realSize, length: 0 }] : pieces;
  const lines = Buffer.from(
    [told.length, ...told.flatMap(({ offset, length }) => [offset, length])].map((number) => `${number}\n`).join(''),
  );
  const map = Buffer.concat([lines, tarPadding(lines.byteLength)]);
  const contentBytes = pieces.reduce((sum, { length }) => sum + length, 0);
  const record = (key: string, value: string | number): PaxRecords[number] => [`GNU.sparse.${key}`, Buffer.from(String(value))];
  const records = [record('major', 1), record('minor', 0), record('name', init.name), record('realsize', realSize)];
  const header = tarHeader({ ...init, name: 'GNUSparseFile.0/file', sizeBytes: map.byteLength + contentBytes }, records);
  return { head: Buffer.concat([header, map]), contentBytes };
}
