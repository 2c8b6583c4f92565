/**
 * A layer's way in words and along a time axis.
 *
 * Knows: pulls and pushes of the journal; what of them deserves a mark. Pure.
 * Does not know: pixels: places are shares of the axis, 0 to 1.
 */
import type { LayerFill, LayerMove, Transfer, TransferLayer } from '@slipway/journal';
import { formatBytes, formatCount } from '../base/format.ts';

export interface Axis {
  readonly startMs: number;
  readonly lengthMs: number;
}

/** From the transfer's first moment to its last, or to now; layers that come after it are on it, too. */
export function axisOf({ startMs, endMs, layers }: Transfer, nowMs: number): Axis {
  const ends = layers.flatMap(({ fill }) => (fill === undefined ? [] : [fill.endMs ?? nowMs]));
  return { startMs, lengthMs: Math.max(1, Math.max(endMs ?? nowMs, ...ends) - startMs) };
}

export interface Bar {
  readonly phase: 'arriving' | 'verifying' | 'unpacking' | 'sending' | 'filling';
  readonly from: number;
  readonly to: number;
  readonly failed: boolean;
}

/** In time's order. What only was looked for, and was there, has none. */
export function barsOf({ move, unpack, fill }: TransferLayer, kind: Transfer['kind'], axis: Axis): readonly Bar[] {
  const at = (ms: number) => Math.min(1, Math.max(0, (ms - axis.startMs) / axis.lengthMs));
  const now = axis.startMs + axis.lengthMs;
  const bars: Bar[] = [];
  if (move && move.state !== 'exists' && move.state !== 'mounted') {
    const arrivedMs = move.arrivedMs ?? move.endMs ?? now;
    bars.push({
      phase: kind === 'push' ? 'sending' : 'arriving',
      from: at(move.startMs),
      to: at(arrivedMs),
      failed: move.state === 'failed',
    });
    if (kind === 'pull' && move.arrivedMs !== undefined)
      bars.push({ phase: 'verifying', from: at(arrivedMs), to: at(move.endMs ?? now), failed: move.state === 'failed' });
  }
  if (unpack && unpack.state !== 'exists')
    bars.push({ phase: 'unpacking', from: at(unpack.startMs), to: at(unpack.endMs ?? now), failed: unpack.state === 'failed' });
  if (fill) bars.push({ phase: 'filling', from: at(fill.startMs), to: at(fill.endMs ?? now), failed: false });
  return bars;
}

/** Held bytes over time as corners of an area inside the arriving bar, each a share of it. */
export function courseOf(move: LayerMove, sizeBytes: number, axis: Axis): readonly (readonly [x: number, y: number])[] {
  const endMs = move.arrivedMs ?? move.endMs ?? axis.startMs + axis.lengthMs;
  const length = Math.max(1, endMs - move.startMs);
  const corners = [{ atMs: move.startMs, bytes: move.resumedAt }, ...move.points, { atMs: endMs, bytes: move.bytes }];
  return corners.map(({ atMs, bytes }) => [
    Math.min(1, Math.max(0, (atMs - move.startMs) / length)),
    Math.min(1, bytes / Math.max(1, sizeBytes)),
  ]);
}

/** What a reader must not miss about a layer, shortest words. */
export function marksOf({
  move,
  unpack,
  fill,
  sizeBytes,
}: TransferLayer): readonly { readonly tone: 'good' | 'warn' | 'bad' | 'plain'; readonly text: string }[] {
  if (fill) return [fillMark(fill, sizeBytes)];
  if (move === undefined) return [{ tone: 'plain', text: unpack?.state === 'exists' ? 'already unpacked' : 'waits' }];
  return [
    ...(move.state === 'exists' ? [{ tone: 'good', text: 'already here' } as const] : []),
    ...(move.state === 'mounted' ? [{ tone: 'good', text: `mounted from ${move.from ?? 'another repository'}` } as const] : []),
    ...(move.resumedAt > 0 ? [{ tone: 'good', text: `resumed at ${formatBytes(move.resumedAt)}` } as const] : []),
    ...(move.isShared ? [{ tone: 'good', text: 'fetched by another pull' } as const] : []),
    ...(move.retries > 0 ? [{ tone: 'warn', text: formatCount(move.retries, 'retry', 'retries') } as const] : []),
    ...(move.state === 'failed'
      ? [{ tone: 'bad', text: `stopped at ${formatBytes(move.bytes)} of ${formatBytes(sizeBytes)}` } as const]
      : []),
    ...(unpack?.state === 'exists' ? [{ tone: 'good', text: 'already unpacked' } as const] : []),
    ...(unpack?.state === 'failed' ? [{ tone: 'bad', text: 'not unpacked' } as const] : []),
  ];
}

function fillMark({ endMs, bytes, reads = 0 }: LayerFill, sizeBytes: number): { readonly tone: 'good' | 'warn'; readonly text: string } {
  return endMs === undefined
    ? { tone: 'warn', text: `lazy: can be read, ${formatBytes(bytes)} of ${formatBytes(sizeBytes)} are here` }
    : { tone: 'good', text: `lazy: read before it was whole, ${formatCount(reads, 'part')} waited for` };
}

export function stateOf({ error, endMs }: Transfer): 'failed' | 'going on' | 'done' {
  return error ? 'failed' : endMs === undefined ? 'going on' : 'done';
}

export function totalsSentence(transfer: Transfer): string {
  const { kind, movedBytes, sparedBytes, totalBytes, layers } = transfer;
  const spared = sparedBytes > 0 ? `, ${formatBytes(sparedBytes)} did not have to` : '';
  return `${formatCount(layers.length, 'layer')}, ${formatBytes(totalBytes)} in all: ${formatBytes(movedBytes)} ${kind === 'push' ? 'went up' : 'came'}${spared}`;
}

/** `http://127.0.0.1:5000, a mirror`; nothing where no registry has answered. */
export function originText({ origin, isMirror }: Transfer): string | undefined {
  return origin !== undefined && isMirror ? `${origin}, a mirror` : origin;
}
