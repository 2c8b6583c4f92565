/**
 * A stream of bytes cut into lines.
 *
 * Knows: that a line has a greatest length, beyond which nothing more of the stream is believed.
 * Does not know: what lines mean.
 */

/** Ends, without an error, at the stream's end and at the first line that is too long. */
export async function* splitLines(input: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of input) {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield rest.toString('utf8', 0, end);
      rest = rest.subarray(end + 1);
    }
    if (rest.length > maxBytes) return;
  }
}
