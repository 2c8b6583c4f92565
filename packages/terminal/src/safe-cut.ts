/**
 * Where a terminal's byte stream may be cut so that the next reader can start there.
 *
 * Knows: UTF-8 sequence lengths and the outline of escape sequences.
 * Does not know: what the sequences mean.
 */

/** A tail longer than this is cut anyway: no honest short sequence is longer, and a hostile one must not hold the screen back. */
const MAX_TAIL_BYTES = 128;

const ESC = 0x1b;

/**
 * Length of the longest prefix that ends neither inside a UTF-8 character nor inside an escape sequence.
 *
 * A screen snapshot is taken after such a prefix only; otherwise the rest of a character or of a colour change, sent after
 * the snapshot, would show as rubbish.
 */
export function safeCut(bytes: Uint8Array): number {
  return openEscape(bytes) ?? openCharacter(bytes);
}

function openCharacter(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(4, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) return sequenceLength(byte) > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function sequenceLength(lead: number): number {
  if (lead >= 0xf0) return 4;
  return lead >= 0xe0 ? 3 : 2;
}

/** Where an unfinished escape sequence begins; undefined when the last one is whole. */
function openEscape(bytes: Uint8Array): number | undefined {
  const from = Math.max(0, bytes.length - MAX_TAIL_BYTES);
  const at = bytes.lastIndexOf(ESC);
  if (at < from) return undefined;
  const introducer = bytes[at + 1];
  if (introducer === undefined) return at;
  if (introducer === 0x5b) return endsWithin(bytes, at + 2, (byte) => byte >= 0x40 && byte <= 0x7e) ? undefined : at;
  // OSC, DCS, SOS, PM, APC run until BEL or ST; ST begins with ESC, so a later ESC would have been found instead.
  if ([0x5d, 0x50, 0x58, 0x5e, 0x5f].includes(introducer)) return endsWithin(bytes, at + 2, (byte) => byte === 0x07) ? undefined : at;
  // ESC followed by intermediates (charset selection) and one final byte.
  return endsWithin(bytes, at + 1, (byte) => byte >= 0x30 && byte <= 0x7e) ? undefined : at;
}

function endsWithin(bytes: Uint8Array, from: number, isFinal: (byte: number) => boolean): boolean {
  for (let i = from; i < bytes.length; i += 1) if (isFinal(bytes[i] ?? 0)) return true;
  return false;
}
