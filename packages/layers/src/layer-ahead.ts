/**
 * Layers that are read one after the other: the next one is decompressed while the one before it is written, as those two keep different
 * processors busy.
 *
 *     layer 1   decompress ── write ──────────▶
 *     layer 2                 decompress · · · ·  write ──────▶        (as far as a decompressor may be ahead, see decompress.ts)
 *
 * Knows: one layer ahead, by its digest, and that it may not be asked for after all.
 * Does not know: tar, or where layers go.
 */
import { workerDescriptor } from '@slipway/kernel/worker';
import { LayerStream } from './decompress.ts';
import type { LayerBlob } from './worker-protocol.ts';

/** A layer being read. */
export interface OpenLayer {
  readonly layer: LayerStream;
  readonly tar: AsyncGenerator<Uint8Array>;
}

export class LayerAhead {
  #ahead: (OpenLayer & { readonly blob: LayerBlob }) | undefined;

  /** Begins to read the blob open as `fd`, which stays the caller's. */
  expect(blob: LayerBlob, fd: number): void {
    const { layer, tar } = open(blob, ownStream(workerDescriptor.reopen(fd)));
    this.#ahead = { blob, layer, tar: begun(tar) };
  }

  /** The blob open as `fd`, which was begun if it was expected. Whatever else was expected is let go. */
  take(blob: LayerBlob, fd: number): OpenLayer {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead !== undefined && isSame(ahead.blob, blob)) return ahead;
    ahead?.tar.return(undefined).catch(() => undefined); // nobody wants to know what was wrong with it
    return open(blob, workerDescriptor.stream(fd));
  }
}

function isSame(a: LayerBlob, b: LayerBlob): boolean {
  return a.blobDigest !== undefined && a.blobDigest === b.blobDigest && a.compression === b.compression;
}

function open({ compression, decompressLimits }: LayerBlob, bytes: AsyncIterable<Uint8Array>): OpenLayer {
  const layer = new LayerStream(decompressLimits);
  return { layer, tar: layer.tar(bytes, compression) };
}

/** The same values, of which the first is made at once. */
function begun<T>(values: AsyncGenerator<T>): AsyncGenerator<T> {
  const first = values.next();
  first.catch(() => undefined); // told to who reads it, if anybody does
  return (async function* () {
    try {
      const { value, done } = await first;
      if (done === true) return;
      yield value;
      yield* values;
    } finally {
      await values.return(undefined);
    }
  })();
}

async function* ownStream(fd: number): AsyncGenerator<Uint8Array> {
  try {
    yield* workerDescriptor.stream(fd);
  } finally {
    workerDescriptor.close(fd);
  }
}
