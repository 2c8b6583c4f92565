/**
 * Archives that `ADD` unpacks: tar, plain or compressed by gzip, zstd, bzip2 or xz.
 *
 * Knows: how they begin, and who decompresses what Node cannot.
 * Does not know: where their files go.
 */
import { EngineError, hasCode } from '@slipway/errors';
import { filterThrough } from '@slipway/kernel';
import { DEFAULT_DECOMPRESS_LIMITS, type DecompressLimits, LayerStream } from '@slipway/layers';

const XZ = 'fd377a585a00';
const BZIP2 = '425a68';
/** More than any level of xz needs, of which the highest takes 65 MiB. */
const XZ_MEMORY = '--memlimit-decompress=256MiB';
const BLOCK = 512;

/** The archive's tar; undefined for a file that is none, which is copied as it is. `content` is read twice. */
export async function tarInside(
  content: () => AsyncIterable<Uint8Array>,
  limits: DecompressLimits = DEFAULT_DECOMPRESS_LIMITS,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const head = await firstBytes(content());
  const tar = () => new LayerStream(limits).tar(withoutOldCompression(content(), head, limits), 'detect');
  const block = await firstBytes(tar()).catch((error: unknown) => {
    if (hasCode(error, 'E_PROGRAM_MISSING')) throw error;
    return Buffer.alloc(0); // what cannot be decompressed is no archive either, and copied
  });
  return isTarHeader(block) ? tar() : undefined;
}

function withoutOldCompression(content: AsyncIterable<Uint8Array>, head: Buffer, limits: DecompressLimits): AsyncIterable<Uint8Array> {
  const magic = head.toString('hex');
  const through = (program: string, ...more: readonly string[]) =>
    plausible(content, limits, (bytes) => filterThrough(program, ['--decompress', '--stdout', ...more], bytes));
  if (magic.startsWith(XZ)) return through('xz', XZ_MEMORY);
  return magic.startsWith(BZIP2) ? through('bzip2') : content;
}

/** @throws EngineError `invalid-argument` / `E_LAYER_BOMB` for growth that is none of files */
async function* plausible(
  content: AsyncIterable<Uint8Array>,
  { ratioFromBytes, maxRatio }: DecompressLimits,
  decompress: (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let [taken, given] = [0, 0];
  const counted = async function* () {
    for await (const bytes of content) {
      taken += bytes.byteLength;
      yield bytes;
    }
  };
  try {
    for await (const bytes of decompress(counted())) {
      given += bytes.byteLength;
      if (given > ratioFromBytes && given > maxRatio * taken)
        throw refused('E_LAYER_BOMB', `the archive unpacks to more than ${maxRatio} times its own size`);
      yield bytes;
    }
  } catch (error) {
    if (error instanceof EngineError || !(error instanceof Error)) throw error;
    throw refused('E_LAYER_COMPRESSION', `the archive cannot be decompressed: ${error.message}`);
  }
}

function refused(code: `E_${string}`, message: string): EngineError {
  return new EngineError('invalid-argument', message, { code, op: 'build.add' });
}

/** The first block, or less. */
async function firstBytes(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  let held = Buffer.alloc(0);
  for await (const bytes of content) {
    held = Buffer.concat([held, bytes.subarray(0, BLOCK)]);
    if (held.byteLength >= BLOCK) break;
  }
  return held.subarray(0, BLOCK);
}

/** By its checksum, which every tar has, however old. */
function isTarHeader(block: Buffer): boolean {
  if (block.byteLength < BLOCK) return false;
  const said = Number.parseInt(
    block
      .toString('latin1', 148, 156)
      .replace(/[\0 ]+$/, '')
      .trim(),
    8,
  );
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  return said === sum;
}
