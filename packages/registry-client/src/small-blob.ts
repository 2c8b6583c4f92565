/**
 * A blob in memory, for documents.
 *
 * Knows: that it must be what its descriptor says.
 * Does not know: where it comes from.
 */
import { createHash } from 'node:crypto';
import { EngineError } from '@slipway/errors';
import { type Descriptor, splitDigest } from '@slipway/oci';
import type { BlobSink } from './fetch-blob.ts';

export class SmallBlob implements BlobSink {
  readonly #descriptor: Descriptor;
  #chunks: Uint8Array[] = [];
  offset = 0;

  constructor(descriptor: Descriptor) {
    this.#descriptor = descriptor;
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.offset += bytes.byteLength;
    this.#chunks.push(bytes);
  }

  async commit(): Promise<void> {
    const { digest } = this.#descriptor;
    const { algorithm, hex } = splitDigest(digest);
    if (createHash(algorithm).update(this.bytes).digest('hex') === hex) return;
    throw new EngineError('invalid-argument', `the registry sent another document than ${digest}`, {
      code: 'E_BLOB_DIGEST',
      op: 'registry.blob',
      subject: digest,
    });
  }

  async abort(): Promise<void> {
    this.#chunks = [];
    this.offset = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
