/**
 * What the server of a lazy image tells, a line of JSON each, in a file that outlives whoever reads it.
 *
 * Knows: the lines.
 * Does not know: who reads them.
 */

/** `layer` counts from 0, the lowest that is served. Times are CLOCK_MONOTONIC milliseconds. */
export type LazyEvent =
  /** Every layer can be read. */
  | { readonly event: 'ready' }
  /** Nothing is or will be served. */
  | { readonly event: 'refused'; readonly reason: string }
  /** Somebody read what was not here. `path` is where in the layer. */
  | ({ readonly event: 'range'; readonly layer: number; readonly path: string; readonly startMs: number; readonly endMs: number } & Part)
  /** A read failed: whoever read was told EIO. */
  | { readonly event: 'failed'; readonly layer: number; readonly path: string; readonly reason: string }
  /** Bytes of the layer that are here. */
  | { readonly event: 'here'; readonly layer: number; readonly bytes: number; readonly atMs: number }
  /** Filling goes on no further until the registry answers again; `reason` absent: it does again. */
  | { readonly event: 'stalled'; readonly layer: number; readonly reason?: string }
  /** All of the layer's bytes are in its file; nobody has verified the whole. */
  | { readonly event: 'complete'; readonly layer: number; readonly reads: number; readonly atMs: number };

/** Bytes of the blob. */
interface Part {
  readonly start: number;
  readonly end: number;
}

export type TellEvent = (event: LazyEvent) => void;

/** undefined for what is none. */
export function parseEvent(line: string): LazyEvent | undefined {
  try {
    const value = JSON.parse(line) as LazyEvent;
    return typeof value.event === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
