/**
 * A sink in memory with the promises of packages/content's ingests, to see what a fetch does with it.
 *
 * Knows: size and digest checks.
 * Does not know: files; packages/images runs the same fetches into the real store.
 */
import { EngineError } from '@slipway/errors';
import { type Descriptor, digestOf } from '@slipway/oci';
import type { BlobSink } from '../fetch-blob.ts';

/** Bytes by name, kept between attempts as a named ingest's are. */
export class MemorySinks {
  readonly partial = new Map<string, Buffer>();
  readonly committed = new Map<string, Buffer>();

  open({ digest, size }: Descriptor): BlobSink {
    const { partial, committed } = this;
    const held = () => partial.get(digest) ?? Buffer.alloc(0);
    const refuse = (code: 'E_BLOB_SIZE' | 'E_BLOB_DIGEST') => {
      partial.delete(digest);
      return new EngineError('invalid-argument', code, { code, op: 'test.sink' });
    };
    return {
      get offset() {
        return held().byteLength;
      },
      write: async (bytes) => {
        if (held().byteLength + bytes.byteLength > size) throw refuse('E_BLOB_SIZE');
        partial.set(digest, Buffer.concat([held(), bytes]));
      },
      commit: async () => {
        const bytes = held();
        if (bytes.byteLength !== size) throw refuse('E_BLOB_SIZE');
        if (digestOf(bytes) !== digest) throw refuse('E_BLOB_DIGEST');
        partial.delete(digest);
        committed.set(digest, bytes);
      },
      abort: async () => void partial.delete(digest),
      [Symbol.asyncDispose]: async () => undefined,
    };
  }
}
