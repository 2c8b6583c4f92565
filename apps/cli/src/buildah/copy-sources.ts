/**
 * What is copied: local files by name or pattern, files of a container or image, archives, and what an address has.
 *
 * Knows: that a directory stands for what is in it, and that nothing outside the context directory is read where there is one.
 * Does not know: where it goes.
 */
import { createReadStream, globSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import { parseDockerignore } from '@slipway/builder/patterns';
import type { Context } from '../docker/commands/context.ts';
import { extract } from '../docker/commands/cp.ts';
import { type PackOptions, packFiles } from '../docker/pack-files.ts';
import { UsageError } from '../flags.ts';
import type { Owner } from './accounts.ts';
import { fetchToFile } from './fetch-file.ts';
import { getWorking, orMissing } from './working-container.ts';

export interface Source {
  /** `archive`: a tar by itself, to be unpacked. */
  readonly kind: 'file' | 'directory' | 'archive';
  readonly name: string;
  /** Members of a tar, without its end; an archive's are its own, with it. */
  pack(name: string): AsyncIterable<Uint8Array>;
}

export interface Sources extends AsyncDisposable {
  readonly list: readonly Source[];
}

export interface SourceOptions {
  readonly unpacks: boolean;
  readonly from: string | undefined;
  readonly contextDir: string | undefined;
  readonly ignoreFile: string | undefined;
  readonly checksum: string | undefined;
  readonly owner: Owner;
  readonly mode?: number;
}

/** @throws UsageError for what is not there */
export async function openSources(context: Context, words: readonly string[], options: SourceOptions): Promise<Sources> {
  const work = mkdtempSync(join(context.environment['TMPDIR'] ?? tmpdir(), 'buildah-'));
  const close = async () => rmSync(work, { recursive: true, force: true });
  try {
    const list: Source[] = [];
    for (const [at, word] of words.entries()) list.push(...(await readSource(context, word, { ...options, work: `${work}/${at}` })));
    return { list, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Within = SourceOptions & { readonly work: string };

async function readSource(context: Context, word: string, options: Within): Promise<readonly Source[]> {
  if (/^https?:\/\//.test(word)) return [await fetched(word, options)];
  if (options.from !== undefined) return [await copiedOut(context, options.from, word, options)];
  const root = options.contextDir === undefined ? undefined : realpathSync(options.contextDir);
  const pattern = root === undefined ? resolve(word) : join(root, word);
  const paths = /[*?[]/.test(word) ? globSync(pattern).sort() : [pattern];
  if (paths.length === 0) throw new UsageError(`checking on sources: ${JSON.stringify(word)}: no such file or directory`);
  return await Promise.all(paths.map((path) => localSource(path, root, options)));
}

async function localSource(path: string, root: string | undefined, options: Within): Promise<Source> {
  const found = realOf(path);
  if (found === undefined) throw new UsageError(`checking on sources: ${JSON.stringify(path)}: no such file or directory`);
  if (root !== undefined && found !== root && !found.startsWith(`${root}/`))
    throw new UsageError(`${JSON.stringify(path)} leads out of the context directory`);
  return await sourceAt(path, { ...options, ...ignoredIn(root, path, options.ignoreFile) });
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** A rule is about paths in the context directory. */
function ignoredIn(root: string | undefined, path: string, file: string | undefined): Pick<PackOptions, 'ignored'> {
  const text = file === undefined ? undefined : readFileSync(file, 'utf8');
  if (text === undefined) return {};
  if (root === undefined) throw new UsageError('--ignorefile needs --contextdir');
  const isIgnored = parseDockerignore(text);
  return { ignored: (below) => isIgnored(relative(root, join(path, below))) };
}

async function sourceAt(path: string, options: Within & Pick<PackOptions, 'ignored'>): Promise<Source> {
  const { owner, mode, unpacks, ignored } = options;
  const pack: PackOptions = {
    owner,
    follow: true,
    open: true,
    ...(mode === undefined ? {} : { mode }),
    ...(ignored === undefined ? {} : { ignored }),
  };
  const name = basename(path);
  if (statSync(path).isDirectory()) return { kind: 'directory', name, pack: (below) => packFiles(path, '.', { ...pack, below }) };
  if (unpacks && (await looksLikeArchive(path))) return { kind: 'archive', name, pack: () => createReadStream(path) };
  return { kind: 'file', name, pack: (as) => packFiles(path, as, pack) };
}

/** A tar, plain or packed as the engine can unpack it. @throws UsageError for one that it cannot */
async function looksLikeArchive(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const head = Buffer.alloc(262);
    await file.read(head, 0, 262, 0);
    const magic = head.toString('hex', 0, 6);
    if (head.toString('latin1', 257, 262) === 'ustar') return true;
    if (/^(425a68|fd377a585a00)/.test(magic) && /\.(tar\.|t)(bz2|xz|bz)$/.test(path))
      throw new UsageError(
        `${path}: archives packed with bzip2 or xz are not unpacked here; pack it with gzip or zstd, or unpack it first`,
      );
    return /^(1f8b|28b52ffd)/.test(magic);
  } finally {
    await file.close();
  }
}

async function fetched(url: string, options: Within): Promise<Source> {
  if (!options.unpacks) throw new UsageError(`${url}: "buildah add" fetches addresses, copy does not`);
  const { path, name } = await fetchToFile(url, options);
  return { kind: 'file', name, pack: (as) => packFiles(path, as, { owner: options.owner, mode: options.mode ?? 0o600, open: true }) };
}

/** Out of another working container, or of an image by way of a container that is gone at once. */
async function copiedOut(context: Context, from: string, path: string, options: Within): Promise<Source> {
  const { daemon } = context;
  const container = await getWorking(context, from).catch(() => undefined);
  const made =
    container === undefined ? await daemon.call<{ Id: string }>('POST', '/containers/create', { Image: from, Cmd: ['/'] }) : undefined;
  try {
    const answer = await orMissing(
      daemon.stream('GET', `/containers/${container?.id ?? made?.Id}/archive?path=${encodeURIComponent(join('/', path))}`),
    );
    if (answer === undefined) throw new UsageError(`checking on sources in ${from}: ${JSON.stringify(path)}: no such file or directory`);
    const { mkdir, readdir } = await import('node:fs/promises');
    await mkdir(options.work);
    await extract(answer, options.work, { keepOwner: true });
    const [top = ''] = await readdir(options.work);
    return await sourceAt(join(options.work, top), options);
  } finally {
    if (made !== undefined) await daemon.call('DELETE', `/containers/${made.Id}`);
  }
}
