/**
 * What `docker build` sends: a directory, a tar, or a Dockerfile alone.
 *
 *     build DIR                 the directory; -f names a Dockerfile in it, or anywhere else
 *     build -f - DIR            the same with the Dockerfile from stdin
 *     build -                   stdin: a tar, compressed or not, or the text of a Dockerfile
 *
 * Knows: .dockerignore, and how a Dockerfile that is not in the context is put into it.
 * Does not know: what is asked of the build.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { parseDockerignore } from '@slipway/builder/patterns';
import { tarEnd, tarMember } from '@slipway/layers/write';
import { UsageError } from '../../flags.ts';
import { packFiles } from '../pack-files.ts';

export interface SentContext {
  /** Path of the Dockerfile in the tar. */
  readonly dockerfile: string;
  readonly tar: AsyncIterable<Uint8Array>;
}

const MAX_DOCKERFILE_BYTES = 1024 * 1024;
const ELSEWHERE = /^(https?|git|ssh):\/\/|^git@|^github\.com\//;

/** @throws UsageError for contexts that would have to be fetched */
export async function readContext(place: string, file: string | undefined, stdin: AsyncIterable<Uint8Array>): Promise<SentContext> {
  if (ELSEWHERE.test(place))
    throw new UsageError(`${place.slice(0, 200)}: contexts are not fetched; clone or download it, and name the directory`);
  if (place === '-') return readPiped(file, stdin);
  if (file === '-') return withOtherDockerfile(place, await readText(stdin));
  const inside = file === undefined ? 'Dockerfile' : relative(resolve(place), resolve(file));
  if (file !== undefined && inside.startsWith('..')) return withOtherDockerfile(place, await readFile(file, 'utf8'));
  return { dockerfile: inside, tar: packContext(place, inside) };
}

/** A tar is passed on unread; anything else is a Dockerfile's text, for a context of nothing. */
async function readPiped(file: string | undefined, stdin: AsyncIterable<Uint8Array>): Promise<SentContext> {
  const chunks = stdin[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let held = 0;
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
    head.push(next.value);
    held += next.value.byteLength;
    if (held >= TAR_MARK_END) break;
  }
  const first = Buffer.concat(head);
  const all = joined(first, chunks);
  if (isArchive(first)) return { dockerfile: file ?? 'Dockerfile', tar: all };
  if (file !== undefined) throw new UsageError('-f names a file of a context, and stdin is none: it is the Dockerfile itself');
  return { dockerfile: 'Dockerfile', tar: tarOf({ Dockerfile: await readText(all) }) };
}

async function* joined(first: Uint8Array, chunks: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
}

const TAR_MARK = 257;
const TAR_MARK_END = TAR_MARK + 5;
/** gzip and zstd; bzip2 and xz too, so that it is the engine that refuses them. */
const PACKED = ['1f8b', '28b52ffd', '425a68', 'fd377a585a00'];

function isArchive(head: Buffer): boolean {
  const magic = head.subarray(0, 6).toString('hex');
  return PACKED.some((each) => magic.startsWith(each)) || head.subarray(TAR_MARK, TAR_MARK_END).toString('latin1') === 'ustar';
}

/** Under a name that nobody has, which .dockerignore keeps from being copied. */
async function withOtherDockerfile(directory: string, text: string): Promise<SentContext> {
  const dockerfile = `.dockerfile.${randomBytes(10).toString('hex')}`;
  const ignore = await readOrNot(`${directory}/.dockerignore`);
  const more = { '.dockerignore': `${ignore ?? '.dockerignore'}\n${dockerfile}\n`, [dockerfile]: text };
  return { dockerfile, tar: packContext(directory, dockerfile, more) };
}

/** Without what .dockerignore leaves out, but with that file and the Dockerfile, which the engine reads. */
async function* packContext(
  directory: string,
  dockerfile: string,
  more: Readonly<Record<string, string>> = {},
): AsyncGenerator<Uint8Array> {
  const own = `${dockerfile}.dockerignore`;
  const text = (await readOrNot(`${directory}/${own}`)) ?? (await readOrNot(`${directory}/.dockerignore`));
  const isIgnored = text === undefined ? () => false : parseDockerignore(text);
  const needed = new Set([dockerfile, own, '.dockerignore']);
  yield* packFiles(directory, '.', { ignored: (path) => !needed.has(path) && isIgnored(path), follow: true, open: true });
  yield* tarOf(more);
}

async function* tarOf(files: Readonly<Record<string, string>>): AsyncGenerator<Uint8Array> {
  for (const [name, text] of Object.entries(files)) yield tarMember({ name, type: 'file', mode: 0o644 }, text);
  yield tarEnd();
}

async function readText(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let held = 0;
  for await (const chunk of bytes) {
    chunks.push(chunk);
    held += chunk.byteLength;
    if (held > MAX_DOCKERFILE_BYTES) throw new UsageError(`the Dockerfile is larger than ${MAX_DOCKERFILE_BYTES} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function readOrNot(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}
