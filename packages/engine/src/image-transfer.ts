/**
 * Pulling and pushing as clients ask for it, and as the journal shows it.
 *
 *     image.pull
 *       ├─ image.resolve      what the reference means, and who said so
 *       ├─ layer.download     one for each layer; written again while bytes arrive, the last time when their digest is right
 *       └─ layer.unpack       one for each layer
 *
 * Knows: spans and events (their payloads are described in packages/journal/README.md).
 * Does not know: registries (packages/images).
 */
import type { PullOptions, PullProgress, PullReport, PushOptions, PushProgress, PushReport, RemoteImage } from '@slipway/images';
import type { OpenSpan, SpanContext, SpanInit, Tracer } from '@slipway/journal';
import { monotonicMs } from '@slipway/kernel';
import type { EngineContext } from './ports.ts';

/** A span that is written again while it goes on, at most so often. */
const REWRITE_MS = 200;

/** @throws as ImageStore.pull */
export async function pullImage(engine: EngineContext, reference: string, options: PullOptions, parent?: SpanContext): Promise<PullReport> {
  const request = { reference, ...(options.platform === undefined ? {} : { platform: options.platform }) };
  return engine.tracer.span({ actor: 'store', name: 'image.pull', protocol: 'function call', request, parent }, async (span) => {
    const spans = new TransferSpans(engine.tracer, span);
    spans.begin('resolve', { name: 'image.resolve', protocol: 'HTTP', request: { reference } });
    try {
      const onProgress = (progress: PullProgress) => {
        showPull(spans, progress);
        options.onProgress?.(progress);
      };
      const report = await engine.images.registries.pull(reference, { ...options, onProgress });
      for (const warning of report.warnings) engine.warn(warning);
      span.note({ response: report });
      const name = report.name ?? reference;
      engine.events.publish({ type: 'image', action: 'pull', id: name, attributes: { name } });
      return report;
    } catch (error) {
      spans.fail(error);
      throw error;
    }
  });
}

/** @throws as ImageStore.push */
export async function pushImage(engine: EngineContext, name: string, options: PushOptions, parent?: SpanContext): Promise<PushReport> {
  return engine.tracer.span({ actor: 'store', name: 'image.push', protocol: 'function call', request: { name }, parent }, async (span) => {
    const spans = new TransferSpans(engine.tracer, span);
    try {
      const onProgress = (progress: PushProgress) => {
        showPush(spans, progress);
        options.onProgress?.(progress);
      };
      const report = await engine.images.registries.push(name, { ...options, onProgress });
      span.note({ response: report });
      engine.events.publish({ type: 'image', action: 'push', id: report.name, attributes: { name: report.name } });
      return report;
    } catch (error) {
      spans.fail(error);
      throw error;
    }
  });
}

/** What a registry has, without pulling it. */
export function lookAtRegistry(
  engine: EngineContext,
  reference: string,
  options: Pick<PullOptions, 'credentials' | 'signal'>,
  parent?: SpanContext,
): Promise<RemoteImage> {
  const about = { actor: 'store', name: 'image.resolve', protocol: 'HTTP', request: { reference }, parent } as const;
  return engine.tracer.span(about, async (span: OpenSpan) => {
    const found = await engine.images.registries.look(reference, options);
    span.note({ response: found });
    return found;
  });
}

function showPull(spans: TransferSpans, progress: PullProgress): void {
  if (progress.phase === 'resolved') {
    const { origin, target, manifest, layers } = progress;
    spans.end('resolve', { origin, target, manifest, layers });
    return;
  }
  const { phase, layer, state } = progress;
  const { digest, size: sizeBytes, mediaType } = layer;
  if (phase === 'unpack') {
    const { chainId, diffId } = progress;
    const key = `unpack ${chainId}`;
    if (state !== 'done')
      spans.begin(key, { name: 'layer.unpack', protocol: 'worker process', request: { digest, diffId, chainId, sizeBytes } });
    if (state !== 'started') spans.end(key, { state });
    return;
  }
  const { bytes, resumedAt, isShared } = progress;
  const key = `download ${digest}`;
  if (state === 'progress') {
    spans.go(key, { state, bytes });
    return;
  }
  if (state !== 'verified') spans.begin(key, { name: 'layer.download', protocol: 'HTTP', request: { digest, sizeBytes, mediaType } });
  if (state !== 'started')
    spans.end(key, { state, bytes, ...(resumedAt === undefined ? {} : { resumedAt }), ...(isShared === true ? { isShared } : {}) });
}

function showPush(spans: TransferSpans, progress: PushProgress): void {
  if (progress.phase === 'layers') return;
  const { layer, state, bytes, from } = progress;
  const { digest, size: sizeBytes, mediaType } = layer;
  const key = `upload ${digest}`;
  if (state === 'started') spans.begin(key, { name: 'layer.upload', protocol: 'HTTP', request: { digest, sizeBytes, mediaType } });
  else if (state === 'progress') spans.go(key, { state, bytes });
  else spans.end(key, { state, bytes, ...(from === undefined ? {} : { from }) });
}

interface Going {
  readonly init: Omit<SpanInit, 'actor' | 'parent'>;
  readonly startMs: number;
  readonly as: SpanContext;
  writtenMs: number;
}

/** Spans by key, below one parent. */
class TransferSpans {
  readonly #tracer: Tracer;
  readonly #parent: SpanContext;
  readonly #going = new Map<string, Going>();

  constructor(tracer: Tracer, parent: SpanContext) {
    this.#tracer = tracer;
    this.#parent = parent;
  }

  begin(key: string, init: Going['init']): void {
    const startMs = monotonicMs();
    const as = this.#tracer.record({ actor: 'store', parent: this.#parent, ...init, startMs });
    this.#going.set(key, { init, startMs, as, writtenMs: startMs });
  }

  /** Shows how far it is; most calls write nothing. */
  go(key: string, response: unknown): void {
    const going = this.#going.get(key);
    const now = monotonicMs();
    if (going === undefined || now - going.writtenMs < REWRITE_MS) return;
    going.writtenMs = now;
    this.#write(going, { response });
  }

  end(key: string, response: unknown): void {
    const going = this.#going.get(key);
    this.#going.delete(key);
    if (going !== undefined) this.#write(going, { response, endMs: monotonicMs() });
  }

  /** Ends whatever goes on. */
  fail(error: unknown): void {
    for (const going of this.#going.values()) this.#write(going, { error, endMs: monotonicMs() });
    this.#going.clear();
  }

  #write({ init, startMs, as }: Going, more: { readonly response?: unknown; readonly endMs?: number; readonly error?: unknown }): void {
    this.#tracer.record({ actor: 'store', parent: this.#parent, ...init, startMs, as, ...more });
  }
}
