/** `docker cp`: files into or out of a container, as tar in either direction. */
import { spawn } from 'node:child_process';
import { lstat, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseFlags, UsageError } from '../../flags.ts';
import { DaemonError } from '../daemon.ts';
import { packFiles } from '../pack-files.ts';
import type { Command, Context } from './context.ts';

/** Go's bits of a directory and of a symbolic link. */
export const GO_DIRECTORY = 2 ** 31;
const GO_SYMLINK = 2 ** 27;

interface PathStat {
  readonly name: string;
  readonly mode: number;
  readonly linkTarget: string;
}

export const cp: Command = async (context) => {
  const flags = parseFlags(context.args, {
    archive: { kind: 'switch', short: 'a' },
    'follow-link': { kind: 'switch', short: 'L' },
    quiet: { kind: 'switch', short: 'q' },
  });
  const [source = '', destination = '', ...more] = flags.words;
  const [from, to] = [split(source), split(destination)];
  if (flags.words.length < 2 || more.length > 0) throw new UsageError('"docker cp" requires exactly 2 arguments');
  if ((from.container === undefined) === (to.container === undefined)) {
    throw new UsageError('one side of "docker cp" must be CONTAINER:PATH, the other a local path or -');
  }
  const options = { follow: flags.has('follow-link'), keepOwner: flags.has('archive') };
  if (from.container !== undefined) await download(context, { container: from.container, path: from.path }, to.path, options);
  else await upload(context, from.path, { container: to.container ?? '', path: to.path }, options);
  return 0;
};

export interface Place {
  readonly container: string;
  readonly path: string;
}

/** A path that begins like one is a path, whatever colons it has. */
function split(text: string): { readonly container?: string; readonly path: string } {
  const colon = text.indexOf(':');
  return /^[./-]/.test(text) || colon <= 0 ? { path: text } : { container: text.slice(0, colon), path: text.slice(colon + 1) || '/' };
}

function address({ container, path }: Place, more = ''): string {
  return `/containers/${encodeURIComponent(container)}/archive?path=${encodeURIComponent(path)}${more}`;
}

/** undefined when nothing is there. */
async function statIn({ daemon }: Context, place: Place): Promise<PathStat | undefined> {
  try {
    const answer = await daemon.stream('HEAD', address(place));
    answer.resume();
    return JSON.parse(Buffer.from(String(answer.headers['x-docker-container-path-stat']), 'base64').toString('utf8')) as PathStat;
  } catch (error) {
    if (error instanceof DaemonError && error.status === 404) return undefined;
    throw error;
  }
}

/** Bits above the thirty-first are no integers to JavaScript's operators. */
export function hasBit(mode: number, bit: number): boolean {
  return Math.floor(mode / bit) % 2 === 1;
}

async function upload(context: Context, path: string, to: Place, options: { readonly follow: boolean }): Promise<void> {
  const put = async (directory: string, body: AsyncIterable<Uint8Array>) => {
    const place = address({ ...to, path: directory }, '&noOverwriteDirNonDir=true');
    (await context.daemon.upload(place, 'application/x-tar', body, { method: 'PUT' })).resume();
  };
  if (path === '-') return put(to.path, process.stdin);
  const info = options.follow ? await stat(path) : await lstat(path);
  const contentOnly = info.isDirectory() && /(^|\/)\.$/.test(path);
  const there = await followed(context, to);
  if (there !== undefined && hasBit(there.stat.mode, GO_DIRECTORY))
    return put(there.path, packFiles(path, contentOnly ? '.' : basename(path), options));
  if (info.isDirectory() && there !== undefined) throw new UsageError(`cannot copy directory ${path} to file ${to.path}`);
  if (to.path.endsWith('/') && !info.isDirectory()) throw new UsageError(`no such directory: ${to.path}`);
  const target = there?.path ?? to.path;
  await put(dirname(target), packFiles(path, basename(target), options));
}

/** What stands at a place in a container, a link at its end followed; undefined for nothing. */
export async function followed(context: Context, to: Place): Promise<{ readonly stat: PathStat; readonly path: string } | undefined> {
  const first = await statIn(context, to);
  if (first === undefined || !hasBit(first.mode, GO_SYMLINK)) return first && { stat: first, path: to.path };
  const second = await statIn(context, { ...to, path: first.linkTarget });
  return second === undefined ? undefined : { stat: second, path: first.linkTarget };
}

async function download(
  context: Context,
  from: Place,
  path: string,
  options: { readonly follow: boolean; readonly keepOwner: boolean },
): Promise<void> {
  const stat = await statIn(context, from);
  if (stat === undefined) throw new DaemonError(404, `Could not find the file ${from.path} in container ${from.container}`);
  const source = options.follow && hasBit(stat.mode, GO_SYMLINK) ? { ...from, path: stat.linkTarget } : from;
  const answer = await context.daemon.stream('GET', address(source));
  if (path === '-') return pipeline(answer, process.stdout, { end: false });
  const contentOnly = /(^|\/)\.$/.test(from.path);
  const local = await lstatOrNot(path);
  if (local?.isDirectory() || contentOnly) return extract(answer, path, options);
  if (path.endsWith('/') && !hasBit(stat.mode, GO_DIRECTORY)) throw new UsageError(`no such directory: ${path}`);
  if (local !== undefined && hasBit(stat.mode, GO_DIRECTORY)) throw new UsageError(`cannot copy directory ${from.path} to file ${path}`);
  // Under another name: beside it first, so that what stands there is replaced at once or not at all.
  const beside = await mkdtemp(join(dirname(path.replace(/\/+$/, '')), '.docker-cp-'));
  try {
    await extract(answer, beside, options);
    await rename(join(beside, basename(source.path)), path);
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

async function lstatOrNot(path: string) {
  return stat(path).catch(() => undefined);
}

/** tar(1) neither leaves the directory nor follows links that come with an archive. */
export async function extract(
  tar: NodeJS.ReadableStream,
  directory: string,
  { keepOwner }: { readonly keepOwner: boolean },
): Promise<void> {
  const child = spawn('tar', ['-x', '-p', '--delay-directory-restore', keepOwner ? '--same-owner' : '--no-same-owner', '-C', directory], {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const ended = new Promise<number | null>((done, failed) => {
    child.once('error', failed);
    child.once('close', done);
  });
  await pipeline(tar, child.stdin).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error; // tar says why
  });
  if ((await ended) !== 0) throw new Error(said.trim());
}
