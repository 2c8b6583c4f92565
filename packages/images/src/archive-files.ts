/**
 * Taking an archive apart: every regular file in it becomes a blob, whatever it is.
 *
 * An archive names its parts in any order, so what a file is for is known only at the end. Nothing is written under a name
 * from the archive: links are entries in a table here, and paths are keys of it.
 *
 * Knows: members, and the promise that `blobs/sha256/<hex>` makes.
 * Does not know: layouts (oci-layout.ts, docker-archive.ts).
 */
import type { ContentStore } from '@slipway/content';
import { EngineError } from '@slipway/errors';
import { DEFAULT_DECOMPRESS_LIMITS, LayerStream, readTar, type TarMember } from '@slipway/layers';
import { type Digest, isDigest } from '@slipway/oci';

export interface ArchiveFile {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

const MAX_FILES = 20_000;
const MAX_LINK_STEPS = 8;

/** The files of one archive, by path. */
export class ArchiveFiles {
  readonly #files = new Map<string, ArchiveFile>();
  readonly #links = new Map<string, string>();

  /**
   * Reads the archive to its end.
   * @throws EngineError `invalid-argument` / `E_TAR_…`; `E_BLOB_DIGEST` for a blob that is not what its name says
   */
  static async read(
    archive: AsyncIterable<Uint8Array>,
    content: ContentStore,
    onFile: (path: string, file: ArchiveFile) => void,
  ): Promise<ArchiveFiles> {
    const files = new ArchiveFiles();
    const tar = new LayerStream(DEFAULT_DECOMPRESS_LIMITS).tar(archive, 'detect');
    for await (const member of readTar(tar, { maxEntries: MAX_FILES })) {
      const path = normalise(member.entry.name);
      if (path === undefined) throw invalidArchive(`it holds a file named ${JSON.stringify(member.entry.name.slice(0, 200))}`);
      const { type, linkName } = member.entry;
      if (type === 'hardlink') files.#link(path, normalise(linkName));
      else if (type === 'symlink') files.#link(path, normalise(`${path}/../${linkName}`));
      else if (type === 'file') {
        const file = await ingest(path, member, content);
        files.#files.set(path, file);
        onFile(path, file);
      }
    }
    return files;
  }

  /** A regular file, by its path as another file of the archive spells it; links inside the archive are followed. */
  find(path: string): ArchiveFile | undefined {
    let at = normalise(path);
    for (let steps = 0; at !== undefined && steps < MAX_LINK_STEPS; steps++) {
      const file = this.#files.get(at);
      if (file !== undefined) return file;
      at = this.#links.get(at);
    }
    return undefined;
  }

  #link(path: string, target: string | undefined): void {
    if (target !== undefined) this.#links.set(path, target);
  }
}

export function invalidArchive(why: string, cause?: unknown): EngineError {
  return new EngineError('invalid-argument', `not an image archive: ${why}`, {
    code: 'E_ARCHIVE_INVALID',
    op: 'image.load',
    hint: 'Give a tar file made by "docker save", or one with an OCI image layout.',
    cause,
  });
}

async function ingest(path: string, { entry, content: extents }: TarMember, content: ContentStore): Promise<ArchiveFile> {
  const [, algorithm = '', hex = ''] = /^blobs\/(sha256|sha512)\/([^/]+)$/.exec(path) ?? [];
  const named = `${algorithm}:${hex}`;
  const digest = isDigest(named) ? { digest: named } : {};
  await using ingest = await content.ingest({ expected: { sizeBytes: entry.sizeBytes, ...digest } });
  for await (const { offset, bytes } of extents) {
    await fillTo(ingest, offset);
    await ingest.write(bytes);
  }
  await fillTo(ingest, entry.sizeBytes);
  const committed = await ingest.commit();
  return { digest: committed.digest, sizeBytes: committed.sizeBytes };
}

/** A hole in a sparse member is zeros to whoever reads it. */
async function fillTo(ingest: { readonly offset: number; write(bytes: Uint8Array): Promise<void> }, offset: number): Promise<void> {
  while (ingest.offset < offset) await ingest.write(new Uint8Array(Math.min(1024 * 1024, offset - ingest.offset)));
}

/** A path with `.` and `..` resolved; undefined when it leaves the archive. */
function normalise(path: string): string | undefined {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}
