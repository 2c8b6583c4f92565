/**
 * `buildah copy` and `add`: local files, files of another container or image, archives and addresses into a working container.
 *
 *     sources ──▶ one tar, owned and permitted as asked ──▶ into the deepest directory that is there
 *
 * Knows: what goes where, and under which name.
 * Does not know: how sources are read (copy-sources.ts), or how a tar is unpacked (the engine does, and nothing leaves the root).
 */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { tarEnd, tarHeader } from '@slipway/layers/write';
import type { Command, Context } from '../docker/commands/context.ts';
import { followed, GO_DIRECTORY, hasBit } from '../docker/commands/cp.ts';
import { type FlagTable, parseFlags, UsageError } from '../flags.ts';
import { findOwner, type Owner } from './accounts.ts';
import { openSources, type Source } from './copy-sources.ts';
import { getWorking, readConfig, type WorkingContainer } from './working-container.ts';

const COPY_FLAGS: FlagTable = {
  checksum: { kind: 'value' },
  chmod: { kind: 'value' },
  chown: { kind: 'value' },
  contextdir: { kind: 'value' },
  from: { kind: 'value' },
  ignorefile: { kind: 'value' },
  quiet: { kind: 'switch', short: 'q' },
};

export const copy: Command = (context) => put(context, 'copy');
export const add: Command = (context) => put(context, 'add');

async function put(context: Context, verb: 'copy' | 'add'): Promise<number> {
  const flags = parseFlags(context.args, COPY_FLAGS);
  const [reference, ...words] = flags.words;
  const container = await getWorking(context, reference);
  if (words.length === 0) throw new UsageError('src must be specified');
  const destination = words.length > 1 ? (words.at(-1) ?? '') : './';
  const { WorkingDir = '/' } = (await readConfig(context, container)).config;
  const owner = await findOwner(context, container, flags.value('chown'));
  const mode = modeOf(flags.value('chmod'));
  await using sources = await openSources(context, words.length > 1 ? words.slice(0, -1) : words, {
    unpacks: verb === 'add',
    from: flags.value('from'),
    contextDir: flags.value('contextdir'),
    ignoreFile: flags.value('ignorefile'),
    checksum: flags.value('checksum'),
    owner,
    ...(mode === undefined ? {} : { mode }),
  });
  const target = await placeTarget(context, container, { directory: WorkingDir, destination, sources: sources.list });
  const hash = createHash('sha256');
  const tar = counted(packAll(sources.list, target, owner), hash);
  const path = `/containers/${container.id}/archive?path=${encodeURIComponent(target.into)}`;
  (await context.daemon.upload(path, 'application/x-tar', tar, { method: 'PUT' })).resume();
  for (const archive of sources.list.filter(({ kind }) => kind === 'archive')) {
    const into = `/containers/${container.id}/archive?path=${encodeURIComponent(posix.join(target.into, target.below))}`;
    (await context.daemon.upload(into, 'application/x-tar', counted(archive.pack(''), hash), { method: 'PUT' })).resume();
  }
  if (!flags.has('quiet')) context.out(`${hash.digest('hex')}\n`);
  return 0;
}

/** Where a tar is unpacked, and what stands in it before the sources. */
interface Target {
  /** Absolute; there already. */
  readonly into: string;
  /** Directories to be made below it; of a file, without its own name. */
  readonly below: string;
  /** The one file's name; absent: each source keeps its own. */
  readonly name?: string;
}

interface Wish {
  readonly directory: string;
  readonly destination: string;
  readonly sources: readonly Source[];
}

async function placeTarget(context: Context, { id }: WorkingContainer, { directory, destination, sources }: Wish): Promise<Target> {
  const path = posix.resolve('/', directory, destination);
  const there = await followed(context, { container: id, path });
  const isDirectory = there !== undefined && hasBit(there.stat.mode, GO_DIRECTORY);
  const needsDirectory = /(^|\/)\.?$/.test(destination) || sources.length > 1 || sources.some(({ kind }) => kind !== 'file');
  if (needsDirectory && there !== undefined && !isDirectory) throw new UsageError(`${path} in the container is no directory`);
  if (isDirectory) return { into: there.path, below: '' };
  const parent = await deepestDirectory(context, id, needsDirectory ? path : posix.dirname(path));
  return needsDirectory ? parent : { ...parent, name: posix.basename(path) };
}

/** The part of a path that is there, and the rest. */
async function deepestDirectory(context: Context, container: string, path: string): Promise<Target> {
  const missing: string[] = [];
  for (let at = path; ; at = posix.dirname(at)) {
    const found = at === '/' ? { path: '/', isDirectory: true } : await directoryAt(context, container, at);
    if (found?.isDirectory === false) throw new UsageError(`${at} in the container is no directory`);
    if (found !== undefined) return { into: found.path, below: missing.toReversed().join('/') };
    missing.push(posix.basename(at));
  }
}

async function directoryAt(context: Context, container: string, path: string) {
  const found = await followed(context, { container, path });
  return found === undefined ? undefined : { path: found.path, isDirectory: hasBit(found.stat.mode, GO_DIRECTORY) };
}

/** Directories on the way belong to whom the rest belongs to. */
async function* packAll(sources: readonly Source[], { below, name }: Target, owner: Owner): AsyncGenerator<Uint8Array> {
  const mtime = Math.floor(Date.now() / 1000);
  const parts = below.split('/').filter(Boolean);
  for (const at of parts.keys())
    yield tarHeader({ name: `${parts.slice(0, at + 1).join('/')}/`, type: 'directory', mode: 0o755, mtime, ...owner });
  const prefix = below === '' ? '' : `${below}/`;
  for (const source of sources) {
    if (source.kind === 'directory') yield* source.pack(below);
    if (source.kind === 'file') yield* source.pack(`${prefix}${name ?? source.name}`);
  }
  yield tarEnd();
}

async function* counted(bytes: AsyncIterable<Uint8Array>, hash: { update(bytes: Uint8Array): unknown }): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
}

function modeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[0-7]{3,4}$/.test(text)) throw new UsageError(`--chmod ${text}: not an octal mode`);
  return Number.parseInt(text, 8);
}
