/**
 * Reading a tar archive as a stream of members.
 *
 * Knows: the order of things on the tape and where the next header is.
 * Does not know: what unpacking a member means (../apply.ts).
 *
 * The parser always moves forward: every turn of a loop takes at least one block or ends.
 */
import { ByteSource } from './byte-source.ts';
import { beyondLimit, DEFAULT_TAR_LIMITS, type Extent, malformed, type TarLimits, type TarMember } from './entry.ts';
import { type Extensions, requireHarmlessGlobal, resolveEntry, tapeSize } from './extensions.ts';
import { BLOCK, isZeroBlock, parseHeader, type RawHeader } from './header.ts';
import { parsePax } from './pax.ts';
import { readSparseMap } from './sparse.ts';

/**
 * The members of an archive, in order; content that was not read is skipped. Reads `chunks` to its very end, padding included.
 *
 * An archive that stops after a member without the two closing blocks is accepted, as every tar does, and one that stops right after
 * the content of its last member, without the padding: docker's client sends such contexts. An empty one is not.
 *
 * @throws EngineError `invalid-argument` / `E_TAR_MALFORMED` or `E_TAR_LIMIT`
 */
export async function* readTar(chunks: AsyncIterable<Uint8Array>, limits: Partial<TarLimits> = {}): AsyncGenerator<TarMember> {
  const reader = new TarReader(chunks, { ...DEFAULT_TAR_LIMITS, ...limits });
  try {
    for (let member = await reader.next(); member !== undefined; member = await reader.next()) yield member;
  } finally {
    await reader.cancel();
  }
}

/** What is left of the current member on the tape. */
interface Remainder {
  content: number;
  padding: number;
}

class TarReader {
  readonly #source: ByteSource;
  readonly #limits: TarLimits;
  #left: Remainder = { content: 0, padding: 0 };
  #entries = 0;

  constructor(chunks: AsyncIterable<Uint8Array>, limits: TarLimits) {
    this.#source = new ByteSource(chunks, limits.maxTotalBytes);
    this.#limits = limits;
  }

  cancel(): Promise<void> {
    return this.#source.cancel();
  }

  async next(): Promise<TarMember | undefined> {
    await this.#source.skip(this.#left.content);
    await this.#skipPadding(this.#left.padding);
    this.#left = { content: 0, padding: 0 };
    const found = await this.#readHeaders();
    if (found === undefined) return undefined;
    if (++this.#entries > this.#limits.maxEntries) throw beyondLimit(`it has more than ${this.#limits.maxEntries} members`);
    return this.#openMember(found.header, found.extensions);
  }

  /** The archive may end here. */
  async #skipPadding(length: number): Promise<void> {
    for (let left = length; left > 0; ) {
      const bytes = await this.#source.some(left);
      if (bytes === undefined) return;
      left -= bytes.byteLength;
    }
  }

  /** The next member's own header with everything that came before it; undefined at the end. */
  async #readHeaders(): Promise<{ header: RawHeader; extensions: Extensions } | undefined> {
    let extensions: Extensions = {};
    let headerBytes = 0;
    for (;;) {
      const block = await this.#source.exactly(BLOCK);
      if (block === undefined || isZeroBlock(block)) return this.#end(block, extensions);
      const header = parseHeader(block);
      if (!'xgLK'.includes(header.typeFlag)) return { header, extensions };
      headerBytes += BLOCK + header.size;
      if (headerBytes > this.#limits.maxHeaderBytes)
        throw beyondLimit(`extended headers of more than ${this.#limits.maxHeaderBytes} bytes`);
      const bytes = await this.#source.require(header.size);
      await this.#source.skip(padding(header.size));
      extensions = extended(extensions, header.typeFlag, bytes);
    }
  }

  async #end(block: Uint8Array | undefined, extensions: Extensions): Promise<undefined> {
    if (Object.keys(extensions).length > 0) throw malformed('it ends after an extended header');
    if (block === undefined && this.#entries === 0) throw malformed('it is empty');
    await this.#source.drain();
    return undefined;
  }

  async #openMember(header: RawHeader, extensions: Extensions): Promise<TarMember> {
    const size = tapeSize(header, extensions);
    const bounds = { limits: this.#limits, tapeSize: size };
    const sparse = await readSparseMap(header, extensions, this.#source, bounds);
    const fields = resolveEntry(header, extensions, this.#limits, sparse?.name);
    const sizeBytes = sparse?.realSize ?? size;
    // Readers disagree whether such content is there, so what one unpacks another one would read as headers.
    if (fields.type !== 'file' && size > 0) throw malformed(`a ${fields.type} with ${size} bytes of content`, fields.name);
    if (sizeBytes > this.#limits.maxFileBytes) throw beyondLimit(`a file of ${sizeBytes} bytes`, fields.name);
    this.#left = { content: size - (sparse?.mapBytes ?? 0), padding: padding(size) };
    const pieces = sparse?.pieces ?? [{ offset: 0, length: size }];
    return { entry: { ...fields, sizeBytes }, content: this.#content(pieces, this.#left) };
  }

  async *#content(pieces: readonly { offset: number; length: number }[], left: Remainder): AsyncGenerator<Extent> {
    for (const { offset, length } of pieces) {
      for (let done = 0; done < length; ) {
        if (left !== this.#left) throw malformed('content asked for after the next member was opened');
        const bytes = await this.#source.some(length - done);
        if (bytes === undefined) throw malformed('it ends in the middle of a member');
        left.content -= bytes.byteLength;
        yield { offset: offset + done, bytes };
        done += bytes.byteLength;
      }
    }
  }
}

/**
 * Adds one extension member. A pax header together with GNU long names, or the same extension twice, is refused: which one
 * applies to what differs between readers, and smuggling members past a checker lives on that difference.
 */
function extended(before: Extensions, typeFlag: string, bytes: Uint8Array): Extensions {
  if (typeFlag === 'g') {
    requireHarmlessGlobal(parsePax(bytes));
    if (Object.keys(before).length > 0) throw malformed('a global header between a member and its extended header');
    return before;
  }
  if (typeFlag === 'x') {
    if (Object.keys(before).length > 0) throw malformed('two extended headers for one member');
    return { pax: parsePax(bytes) };
  }
  const key = typeFlag === 'L' ? 'longName' : 'longLink';
  if (before.pax !== undefined || before[key] !== undefined) throw malformed('two extended headers for one member');
  const end = bytes.indexOf(0);
  return { ...before, [key]: end < 0 ? bytes : bytes.subarray(0, end) };
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}
