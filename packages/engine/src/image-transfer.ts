/**
 * Pulling and pushing as clients ask for it, and as the journal shows it.
 *
 *     image.pull
 *       ├─ image.resolve      what the reference means, and who said so
 *       ├─ image.layers       which layers there are, in as many pieces as it takes
 *       ├─ layer.download     one for each layer; written again while bytes arrive, the last time when their digest is right
 *       └─ layer.unpack       one for each layer
 *
 * Knows: spans and events (their payloads are described in packages/journal/README.md).
 * Does not know: registries (packages/images).
 */
import type { PullOptions, PullProgress, PullReport, PushOptions, PushProgress, PushReport, RemoteImage } from '@slipway/images';
import { type OpenSpan, type SpanContext, spanHeaders } from '@slipway/journal';
import type { Descriptor } from '@slipway/oci';
import { layerPieces, toldOf } from './layer-pieces.ts';
import type { EngineContext } from './ports.ts';
import { TransferSpans } from './transfer-spans.ts';

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
      const report = await engine.images.registries.pull(reference, { ...options, onProgress, localHeaders: spanHeaders(span) });
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
    let going: object = {};
    try {
      const onProgress = (progress: PushProgress) => {
        if (progress.phase === 'layers') {
          going = { origin: progress.origin };
          span.note({ response: going });
          tellLayers(spans, progress.layers);
        } else showUpload(spans, progress);
        options.onProgress?.(progress);
      };
      const report = await engine.images.registries.push(name, { ...options, onProgress, localHeaders: spanHeaders(span) });
      span.note({ response: { ...report, ...going } });
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

function tellLayers(spans: TransferSpans, layers: readonly Descriptor[]): void {
  for (const piece of layerPieces(layers)) spans.tell({ name: 'image.layers', protocol: 'function call', response: piece });
}

function showPull(spans: TransferSpans, progress: PullProgress): void {
  if (progress.phase === 'resolved') {
    const { origin, isMirror, target, manifest, layers } = progress;
    spans.end('resolve', { origin, isMirror, target: toldOf(target), manifest: toldOf(manifest) });
    tellLayers(spans, layers);
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
  const { bytes, resumedAt, retries = 0, isShared } = progress;
  const key = `download ${digest}`;
  if (state === 'progress') {
    spans.go(key, bytes, sizeBytes);
    return;
  }
  if (state !== 'verified') spans.begin(key, { name: 'layer.download', protocol: 'HTTP', request: { digest, sizeBytes, mediaType } });
  if (state !== 'started')
    spans.end(key, {
      state,
      bytes,
      ...(resumedAt === undefined ? {} : { resumedAt }),
      ...(retries === 0 ? {} : { retries }),
      ...(isShared === true ? { isShared } : {}),
    });
}

function showUpload(spans: TransferSpans, progress: Extract<PushProgress, { readonly phase: 'upload' }>): void {
  const { layer, state, bytes, from } = progress;
  const { digest, size: sizeBytes, mediaType } = layer;
  const key = `upload ${digest}`;
  if (state === 'started') spans.begin(key, { name: 'layer.upload', protocol: 'HTTP', request: { digest, sizeBytes, mediaType } });
  else if (state === 'progress') spans.go(key, bytes, sizeBytes);
  else spans.end(key, { state, bytes, ...(from === undefined ? {} : { from }) });
}
