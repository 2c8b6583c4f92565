/**
 * Layers that are read before they have come, as the journal shows them.
 *
 *     layer.fill     one for each; written again while bytes arrive, the last time when it is an ordinary snapshot
 *     layer.read     one for each part that somebody had to wait for
 *
 * Knows: spans (their payloads are described in packages/journal/SPANS.md).
 * Does not know: how layers are served (packages/lazy).
 */
import type { LazyNotice } from '@slipway/images';
import type { SpanContext, SpanInit, Tracer } from '@slipway/journal';
import { monotonicMs } from '@slipway/kernel';

interface Filling {
  readonly init: Omit<SpanInit, 'actor'>;
  readonly startMs: number;
  readonly as: SpanContext;
  reads?: number;
}

/** For ImageStoreOptions.onLazy. */
export function traceLazyLayers(tracer: Tracer, warn: (message: string) => void): (notice: LazyNotice) => void {
  const filling = new Map<string, Filling>();
  const write = ({ init, startMs, as }: Filling, more: { readonly response: unknown; readonly endMs?: number }) =>
    void tracer.record({ actor: 'store', ...init, startMs, as, ...more });
  return (notice) => {
    if (notice.kind === 'trouble') return warn(notice.message);
    const { chainId, digest } = notice;
    const known = filling.get(chainId);
    if (notice.kind === 'whole') {
      filling.delete(chainId);
      if (known !== undefined) write(known, { response: { state: 'whole', reads: known.reads ?? 0 }, endMs: monotonicMs() });
      return;
    }
    const { event, sizeBytes } = notice;
    if (event.event === 'range') {
      const { path, start, end, startMs, endMs } = event;
      tracer.record({
        actor: 'store',
        name: 'layer.read',
        protocol: 'HTTP',
        request: { digest, path },
        startMs,
        endMs,
        response: { start, end },
      });
    } else if (event.event === 'here') {
      const init = { name: 'layer.fill', protocol: 'HTTP', request: { digest, chainId, sizeBytes } } as const;
      const now = known ?? { init, startMs: event.atMs, as: tracer.record({ actor: 'store', ...init, startMs: event.atMs }) };
      filling.set(chainId, now);
      write(now, { response: { state: 'progress', bytes: event.bytes } });
    } else if (event.event === 'complete') {
      if (known !== undefined) known.reads = event.reads;
    } else if (event.event === 'failed') warn(`a read of /${event.path} in layer ${digest} failed: ${event.reason}`);
    else warn(event.reason === undefined ? `layer ${digest} goes on arriving` : `layer ${digest} stands still: ${event.reason}`);
  };
}
