/**
 * Files from a tar, as a tree in memory whose contents lie in a spool file: nothing of a stranger's archive is ever a path on the host.
 *
 * Knows: members, links inside the tree, and a digest for each file.
 * Does not know: Dockerfiles.
 */
import { createHash } from 'node:crypto';
import { openSpoolFile, type SpoolFile } from '@slipway/kernel/trees';
import { DEFAULT_DECOMPRESS_LIMITS, LayerStream, readTar, type TarEntry } from '@slipway/layers';

export interface FileNode {
  readonly entry: TarEntry;
  /** Where a file's content is in the spool. */
  readonly offset: number;
  /** Of a file's content. */
  readonly digest: string;
  /** The same object for all names of one file. */
  readonly file: object;
}

const MAX_LINKS = 40;

/** Paths have no leading slash, `''` is the root. */
export class FileTree {
  readonly #nodes = new Map<string, FileNode>();
  readonly #spool: SpoolFile;

  private constructor(spool: SpoolFile) {
    this.#spool = spool;
  }

  /**
   * Reads an archive, compressed or not, to its end. `directory` is one of our own.
   * @param keep false: left out
   * @throws EngineError `invalid-argument` / `E_TAR_…`
   */
  static async read(
    archive: AsyncIterable<Uint8Array>,
    { directory, keep = () => true }: { readonly directory: string; readonly keep?: (path: string) => boolean },
  ): Promise<FileTree> {
    const tree = new FileTree(await openSpoolFile(directory));
    try {
      for await (const { entry, content } of readTar(new LayerStream(DEFAULT_DECOMPRESS_LIMITS).tar(archive, 'detect'))) {
        const path = cleanPath(entry.name);
        if (path === '' || !keep(path)) continue;
        const linked = entry.type === 'hardlink' ? tree.#nodes.get(cleanPath(entry.linkName)) : undefined;
        if (linked !== undefined) tree.#nodes.set(path, { ...linked, entry: { ...linked.entry, name: path } });
        else if (entry.type !== 'hardlink') tree.#nodes.set(path, await tree.#take({ ...entry, name: path }, content));
      }
      return tree;
    } catch (error) {
      await tree.close();
      throw error;
    }
  }

  /** The same tree, without what is ignored; the spool is one, and closed with either. */
  without(ignored: (path: string) => boolean): FileTree {
    const tree = new FileTree(this.#spool);
    for (const [path, node] of this.#nodes) if (!ignored(path)) tree.#nodes.set(path, node);
    return tree;
  }

  get(path: string): FileNode | undefined {
    return this.#nodes.get(path);
  }

  /** True for a directory, also one that only what is in it speaks of. */
  isDirectory(path: string): boolean {
    const node = this.#nodes.get(path);
    if (node !== undefined) return node.entry.type === 'directory';
    return path === '' || this.below(path).length > 0;
  }

  /** Everything below a directory, a directory before what is in it. */
  below(path: string): readonly FileNode[] {
    const prefix = path === '' ? '' : `${path}/`;
    return this.paths()
      .filter((each) => each.startsWith(prefix) && each !== path)
      .flatMap((each) => this.#nodes.get(each) ?? []);
  }

  paths(): readonly string[] {
    this.#sorted ??= [...this.#nodes.keys()].sort();
    return this.#sorted;
  }
  #sorted: readonly string[] | undefined;

  /** The path without links, as a process with this root would reach it; undefined when nothing is there. */
  resolve(path: string, links = 0): string | undefined {
    let at = '';
    const pending = path.split('/').filter((part) => part !== '' && part !== '.');
    for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
      if (part === '..') {
        at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
        continue;
      }
      const next = at === '' ? part : `${at}/${part}`;
      const node = this.#nodes.get(next);
      if (node?.entry.type === 'symlink') {
        if (links >= MAX_LINKS) return undefined;
        const { linkName } = node.entry;
        const target = linkName.startsWith('/') ? linkName : `${at}/${linkName}`;
        return this.resolve([target, ...pending].join('/'), links + 1);
      }
      if (node === undefined && !this.isDirectory(next)) return undefined;
      at = next;
    }
    return at;
  }

  content({ entry, offset }: FileNode): AsyncIterable<Uint8Array> {
    return this.#spool.read(offset, entry.sizeBytes);
  }

  async text(node: FileNode): Promise<string> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.content(node)) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  }

  close(): Promise<void> {
    return this.#spool.close();
  }

  async #take(entry: TarEntry, content: AsyncIterable<{ readonly offset: number; readonly bytes: Uint8Array }>): Promise<FileNode> {
    const offset = this.#spool.sizeBytes;
    const hash = createHash('sha256');
    let held = 0;
    const add = async (bytes: Uint8Array) => {
      hash.update(bytes);
      held += bytes.byteLength;
      await this.#spool.append(bytes);
    };
    const fill = async (to: number) => {
      while (held < to) await add(new Uint8Array(Math.min(1024 * 1024, to - held)));
    };
    for await (const piece of content) {
      await fill(piece.offset);
      await add(piece.bytes);
    }
    await fill(entry.sizeBytes);
    return { entry, offset, digest: entry.type === 'file' ? hash.digest('hex') : '', file: {} };
  }
}

/** Without `.`, `..` and slashes at either end; `..` stops at the root. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}
