/**
 * Extended attributes of many files at once, which Node cannot read itself: getfattr (package `attr`) does it, below directories given
 * by descriptor.
 *
 * Knows: getfattr's command line and how it writes names and values.
 * Does not know: which attributes matter.
 */
import { spawnSync } from 'node:child_process';
import { EngineError } from '@slipway/errors';

/** One file: a single name in an open directory, or `.` for the directory itself. */
export interface XattrPlace {
  readonly directoryFd: number;
  readonly name: string;
}

export type Xattrs = ReadonlyMap<string, Uint8Array>;

const NONE: Xattrs = new Map();
/** Names on one command line; with 255 bytes each they stay far below ARG_MAX. */
const PLACES_A_CALL = 1000;
const MAX_OUTPUT_BYTES = 256 * 1024 ** 2;

/**
 * The attributes of each place, links not followed; none for a place that has vanished.
 *
 * @throws EngineError `unsupported` / `E_PROGRAM_MISSING` where getfattr is not installed
 */
export function readXattrsAt(places: readonly XattrPlace[]): readonly Xattrs[] {
  const found: Xattrs[] = [];
  for (let at = 0; at < places.length; at += PLACES_A_CALL) found.push(...readSome(places.slice(at, at + PLACES_A_CALL)));
  return found;
}

function readSome(places: readonly XattrPlace[]): readonly Xattrs[] {
  const descriptors = [...new Set(places.map(({ directoryFd }) => directoryFd))];
  const paths = places.map(({ directoryFd, name }) => `/proc/self/fd/${3 + descriptors.indexOf(directoryFd)}/${name}`);
  const { stdout, error } = spawnSync('getfattr', ['-h', '-d', '-m', '-', '-e', 'hex', '--absolute-names', '--', ...paths], {
    stdio: ['ignore', 'pipe', 'ignore', ...descriptors],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  if (error !== undefined) throw missing(error);
  const byPath = parse(stdout.toString('latin1'));
  return paths.map((path) => byPath.get(Buffer.from(path).toString('latin1')) ?? NONE);
}

/** Blocks of `# file: PATH` and `name=0xHEX` lines; awkward bytes of names are written as three octal digits. */
function parse(text: string): Map<string, Map<string, Uint8Array>> {
  const files = new Map<string, Map<string, Uint8Array>>();
  let current = new Map<string, Uint8Array>();
  for (const line of text.split('\n')) {
    if (line.startsWith('# file: ')) {
      current = new Map();
      files.set(unquote(line.slice('# file: '.length)), current);
      continue;
    }
    const equals = line.indexOf('=');
    if (equals > 0)
      current.set(Buffer.from(unquote(line.slice(0, equals)), 'latin1').toString('utf8'), attributeValue(line.slice(equals + 1)));
  }
  return files;
}

function attributeValue(text: string): Uint8Array {
  return text.startsWith('0x') ? Buffer.from(text.slice(2), 'hex') : new Uint8Array();
}

function unquote(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

function missing(cause: Error): EngineError {
  return new EngineError('unsupported', 'cannot run "getfattr"', {
    code: 'E_PROGRAM_MISSING',
    op: 'xattr.read',
    subject: 'getfattr',
    hint: 'install the package "attr"',
    cause,
  });
}
