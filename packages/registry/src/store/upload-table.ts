/**
 * Upload sessions: writes of clients that come and go between requests.
 *
 *     begin ──▶ append … append ──▶ commit │ cancel │ forgotten after `idleMs` without a byte
 *
 * Knows: whose a session is, that one request at a time writes to it, and how many there may be.
 * Does not know: what becomes of the blob. A restart forgets every session; the content store sweeps their bytes.
 */
import { randomUUID } from 'node:crypto';
import type { ContentStore, Ingest } from '@slipway/content';
import { EngineError } from '@slipway/errors';
import type { Digest } from '@slipway/oci';
import type { Upload } from '../backend.ts';

export interface UploadLimits {
  /** Sessions at once. */
  readonly maxSessions: number;
  /** A session that nobody writes to is forgotten after so long. */
  readonly idleMs: number;
  readonly maxBlobBytes: number;
}

export class UploadTable {
  readonly #content: ContentStore;
  readonly #limits: UploadLimits;
  readonly #onCommit: (repository: string, digest: Digest, publish: () => Promise<void>) => Promise<void>;
  readonly #sessions = new Map<string, Session>();

  /** @param onCommit calls `publish`, which makes the bytes a blob, and links it to the repository */
  constructor(
    content: ContentStore,
    limits: UploadLimits,
    onCommit: (repository: string, digest: Digest, publish: () => Promise<void>) => Promise<void>,
  ) {
    this.#content = content;
    this.#limits = limits;
    this.#onCommit = onCommit;
  }

  begin(repository: string): Upload {
    if (this.#sessions.size >= this.#limits.maxSessions) {
      throw new EngineError('unavailable', `${this.#sessions.size} uploads are under way already`, {
        code: 'E_UPLOADS_TOO_MANY',
        op: 'upload.begin',
        subject: repository,
        hint: 'Finish or cancel some of them.',
      });
    }
    const id = randomUUID();
    const session = new Session(id, repository, {
      open: () => this.#content.ingest({ maxBytes: this.#limits.maxBlobBytes }),
      publish: (digest, publish) => this.#onCommit(repository, digest, publish),
      onEnd: () => void this.#sessions.delete(id),
    });
    this.#sessions.set(id, session);
    return session;
  }

  /** Another repository's session is as unknown as one that never was. */
  find(repository: string, id: string): Upload | undefined {
    const session = this.#sessions.get(id);
    return session?.repository === repository ? session : undefined;
  }

  /** Forgets sessions that have been idle for too long. */
  async expire(nowMs: number): Promise<void> {
    for (const session of [...this.#sessions.values()]) {
      if (!session.isBusy && nowMs - session.touchedAtMs >= this.#limits.idleMs) await session.cancel();
    }
  }

  async close(): Promise<void> {
    for (const session of [...this.#sessions.values()]) await session.drop();
  }
}

interface SessionParts {
  readonly open: () => Promise<Ingest>;
  readonly publish: (digest: Digest, publish: () => Promise<void>) => Promise<void>;
  readonly onEnd: () => void;
}

class Session implements Upload {
  readonly id: string;
  readonly repository: string;
  readonly #parts: SessionParts;
  /** Opened by the first byte: a session that is only begun costs no descriptor. */
  #ingest: Ingest | undefined;
  isBusy = false;
  touchedAtMs = Date.now();

  constructor(id: string, repository: string, parts: SessionParts) {
    this.id = id;
    this.repository = repository;
    this.#parts = parts;
  }

  get offset(): number {
    return this.#ingest?.offset ?? 0;
  }

  append(bytes: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#alone('upload.append', async () => {
      for await (const chunk of bytes) {
        if (chunk.byteLength === 0) continue;
        this.#ingest ??= await this.#parts.open();
        await this.#ingest.write(chunk).catch((error: unknown) => this.#fail(error));
      }
    });
  }

  commit(digest: Digest): Promise<void> {
    return this.#alone('upload.commit', async () => {
      const ingest = this.#ingest ?? (await this.#parts.open());
      this.#parts.onEnd();
      await using _ = ingest;
      await this.#parts.publish(digest, async () => void (await ingest.commit(digest)));
    });
  }

  cancel(): Promise<void> {
    return this.#alone('upload.cancel', () => this.drop());
  }

  /** For when the store closes: no request is waited for. */
  async drop(): Promise<void> {
    this.#parts.onEnd();
    await this.#ingest?.abort();
  }

  /** A failed write has cost the ingest its bytes, so the session is over too. */
  #fail(error: unknown): never {
    this.#parts.onEnd();
    throw error;
  }

  async #alone(op: string, work: () => Promise<void>): Promise<void> {
    if (this.isBusy) {
      throw new EngineError('failed-precondition', `another request writes to upload ${this.id}`, {
        code: 'E_UPLOAD_BUSY',
        op,
        subject: this.id,
        hint: 'Wait for it, then ask how far the upload is.',
      });
    }
    this.isBusy = true;
    try {
      await work();
    } finally {
      this.isBusy = false;
      this.touchedAtMs = Date.now();
    }
  }
}
