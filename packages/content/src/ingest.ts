/**
 * Ingests: writes in progress, checked while they stream, visible only once complete.
 *
 *     begin ──write…──▶ commit ──▶ blob           (fsync, rename, fsync of the directory)
 *        └── close: a named one waits to be resumed; any other is gone
 *
 * Knows: how a write becomes a blob, and which leftovers may go.
 * Does not know: who writes, or where the bytes come from.
 */
import { createHash, type Hash, randomUUID } from 'node:crypto';
import { EngineError } from '@slipway/errors';
import {
  type AppendHandle,
  ensurePrivateDirectory,
  failPoint,
  listNames,
  openForAppend,
  removeStoredFile,
  renameDurably,
  setMode,
  statStored,
  syncDirectory,
} from '@slipway/kernel';
import { type Digest, digestOf, splitDigest } from '@slipway/oci';

export interface IngestOptions {
  /** Names the write, so that it can be resumed later under the same name. Absent: it cannot. */
  readonly ref?: string;
  /** What the bytes must turn out to be. Absent parts are not checked. */
  readonly expected?: { readonly digest?: Digest; readonly sizeBytes?: number };
  /** Refuse to hold more than this; `expected.sizeBytes` is such a limit too. */
  readonly maxBytes?: number;
}

/** What a committed ingest became. */
export interface Committed {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** False when the blob was there already; the new bytes are dropped then. */
  readonly isNew: boolean;
}

/** One write in progress. Use with `await using`: leaving the block closes it. */
export interface Ingest extends AsyncDisposable {
  /** Bytes held so far: where a resumed write continues. */
  readonly offset: number;
  /**
   * Appends. A write that would pass the limit is refused before it reaches the disk, and the ingest is dropped.
   * @throws `invalid-argument` / `E_BLOB_SIZE`
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Checks size and digest and makes the blob visible, durably. On failure the bytes are dropped.
   *
   * @param wanted the digest, where it is known at the end only; absent: what was expected from the beginning
   * @throws `invalid-argument` / `E_BLOB_SIZE` or `E_BLOB_DIGEST`
   */
  commit(wanted?: Digest): Promise<Committed>;
  /** Drops the bytes. */
  abort(): Promise<void>;
  /** Lets go of the write: a named one keeps its bytes for resuming, any other is dropped. Quiet after commit or abort. */
  close(): Promise<void>;
}

export interface IngestTableOptions {
  readonly resumableForMs: number;
  /** True for a blob that is here without being the store's own. */
  readonly isShared: (digest: Digest) => Promise<boolean>;
}

/** Every ingest of one store; keeps two writers off the same ref. */
export class IngestTable {
  readonly #root: string;
  readonly #isShared: IngestTableOptions['isShared'];
  readonly #active = new Set<string>();

  private constructor(root: string, isShared: IngestTableOptions['isShared']) {
    this.#root = root;
    this.#isShared = isShared;
  }

  /** Makes the store's directories and removes stale leftovers. */
  static async open(root: string, { resumableForMs, isShared }: IngestTableOptions): Promise<IngestTable> {
    await ensurePrivateDirectory(root);
    for (const below of ['blobs', 'blobs/sha256', 'blobs/sha512', 'ingests']) await ensurePrivateDirectory(`${root}/${below}`);
    for (const name of await listNames(`${root}/ingests`)) {
      const path = `${root}/ingests/${name}`;
      const info = await statStored(path);
      const isFresh = name.startsWith('ref-') && info !== undefined && Date.now() - info.modifiedAtMs < resumableForMs;
      if (!isFresh) await removeStoredFile(path);
    }
    await syncDirectory(root);
    return new IngestTable(root, isShared);
  }

  async begin(options: IngestOptions): Promise<Ingest> {
    // The ref is a stranger's text; its digest is a safe file name of fixed length.
    const name = options.ref === undefined ? `tmp-${randomUUID()}` : `ref-${splitDigest(digestOf(options.ref)).hex}`;
    if (this.#active.has(name)) {
      throw new EngineError('unavailable', `ingest ${JSON.stringify(options.ref)} is being written already`, {
        code: 'E_INGEST_BUSY',
        op: 'content.ingest',
        subject: options.ref ?? name,
      });
    }
    this.#active.add(name);
    const release = () => void this.#active.delete(name);
    try {
      return await FileIngest.start(this.#root, name, options, { release, isShared: this.#isShared });
    } catch (error) {
      release();
      throw error;
    }
  }
}

interface IngestParts {
  readonly file: AppendHandle;
  readonly hash: Hash;
  /** The hash's. */
  readonly algorithm: string;
  readonly release: () => void;
  readonly isShared: IngestTableOptions['isShared'];
}

class FileIngest implements Ingest {
  readonly #root: string;
  readonly #name: string;
  readonly #options: IngestOptions;
  readonly #release: () => void;
  readonly #isShared: IngestTableOptions['isShared'];
  readonly #file: AppendHandle;
  readonly #hash: Hash;
  readonly #algorithm: string;
  #open = true;

  private constructor(root: string, name: string, options: IngestOptions, parts: IngestParts) {
    this.#root = root;
    this.#name = name;
    this.#options = options;
    this.#release = parts.release;
    this.#isShared = parts.isShared;
    this.#file = parts.file;
    this.#hash = parts.hash;
    this.#algorithm = parts.algorithm;
  }

  static async start(
    root: string,
    name: string,
    options: IngestOptions,
    table: Pick<IngestParts, 'release' | 'isShared'>,
  ): Promise<FileIngest> {
    const file = await openForAppend(`${root}/ingests/${name}`);
    const algorithm = options.expected?.digest === undefined ? 'sha256' : splitDigest(options.expected.digest).algorithm;
    const hash = createHash(algorithm);
    const ingest = new FileIngest(root, name, options, { file, hash, algorithm, ...table });
    try {
      // Bytes of an earlier attempt are hashed again rather than trusted.
      if (file.size > 0) for await (const chunk of file.read()) hash.update(chunk);
      return ingest;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** For a writer that says at the end that it meant another algorithm. */
  async #hashAgain(algorithm: string): Promise<Hash> {
    const hash = createHash(algorithm);
    for await (const chunk of this.#file.read()) hash.update(chunk);
    return hash;
  }

  get offset(): number {
    return this.#file.size;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const limit = Math.min(this.#options.expected?.sizeBytes ?? Infinity, this.#options.maxBytes ?? Infinity);
    if (this.#file.size + bytes.byteLength > limit) await this.#refuse('E_BLOB_SIZE', `more than the ${limit} bytes announced or allowed`);
    try {
      failPoint('ingest.write');
      await this.#file.append(bytes);
    } catch (error) {
      // Half a write is on disk and not in the hash: these bytes are of no use, and their space is wanted (disk full).
      await this.abort();
      throw error;
    }
    this.#hash.update(bytes);
  }

  async commit(wanted = this.#options.expected?.digest): Promise<Committed> {
    const { sizeBytes } = this.#options.expected ?? {};
    const size = this.#file.size;
    if (sizeBytes !== undefined && size !== sizeBytes) await this.#refuse('E_BLOB_SIZE', `${size} bytes, announced were ${sizeBytes}`);
    const algorithm = wanted === undefined ? 'sha256' : splitDigest(wanted).algorithm;
    const hex = (algorithm === this.#algorithm ? this.#hash : await this.#hashAgain(algorithm)).digest('hex');
    const digest = `${algorithm}:${hex}` as Digest;
    if (wanted !== undefined && digest !== wanted) await this.#refuse('E_BLOB_DIGEST', `digest ${digest}, announced was ${wanted}`);
    try {
      return await this.#publish(digest, size, `${this.#root}/blobs/${algorithm}/${hex}`);
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  async abort(): Promise<void> {
    if (!this.#open) return;
    await this.#end();
    await removeStoredFile(`${this.#root}/ingests/${this.#name}`);
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    if (this.#options.ref === undefined) return this.abort();
    await this.#end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #publish(digest: Digest, sizeBytes: number, target: string): Promise<Committed> {
    const path = `${this.#root}/ingests/${this.#name}`;
    const isNew = (await statStored(target)) === undefined && !(await this.#isShared(digest));
    if (isNew) {
      await setMode(path, 0o400);
      // The bytes first: a name that outlives its bytes in a power cut would be an empty blob with a good digest.
      failPoint('blob.sync');
      await this.#file.sync();
      failPoint('blob.rename');
      await renameDurably(path, target);
      failPoint('blob.visible');
    }
    await this.#end();
    if (!isNew) await removeStoredFile(path);
    return { digest, sizeBytes, isNew };
  }

  async #end(): Promise<void> {
    this.#open = false;
    try {
      await this.#file.close();
    } finally {
      this.#release();
    }
  }

  async #refuse(code: 'E_BLOB_SIZE' | 'E_BLOB_DIGEST', why: string): Promise<never> {
    await this.abort();
    const { ref, expected } = this.#options;
    throw new EngineError('invalid-argument', `the content has ${why}`, {
      code,
      op: 'content.ingest',
      subject: expected?.digest ?? ref ?? '',
    });
  }
}
