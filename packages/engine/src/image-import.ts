/**
 * A file system from an archive as an image of one layer.
 *
 * Knows: what such an image says of itself.
 * Does not know: tar (packages/layers), or where the archive comes from.
 */
import { EngineError } from '@slipway/errors';
import type { SpanContext } from '@slipway/journal';
import { DEFAULT_DECOMPRESS_LIMITS, LayerStream } from '@slipway/layers';
import { hostPlatform } from '@slipway/oci';
import type { EngineContext } from './ports.ts';

export interface ImportOptions {
  readonly reference?: string;
  readonly comment?: string;
  /** Dockerfile instructions, one each. */
  readonly changes: readonly string[];
}

/** @throws invalid-argument / E_TAR_…, E_LAYER_…, E_DOCKERFILE, E_REFERENCE_INVALID */
export async function importImage(
  engine: EngineContext,
  archive: AsyncIterable<Uint8Array>,
  options: ImportOptions,
  parent?: SpanContext,
): Promise<{ readonly id: string }> {
  const init = { actor: 'store', name: 'image.import', protocol: 'function call', parent, request: options } as const;
  return engine.tracer.span(init, async (span) => {
    const { applyChanges } = await import('@slipway/dockerfile'); // with a parser that few engines need
    const config = applyChanges({ exposedPorts: [], env: [], volumes: [], labels: {} }, options.changes);
    const created = new Date().toISOString();
    const tar = new LayerStream(DEFAULT_DECOMPRESS_LIMITS).tar(archive, 'detect');
    const { id } = await engine.images.making.holding(async () => {
      const layer = await engine.images.making.ingestLayer(tar);
      if (layer.descriptor.size === 0) throw emptyArchive();
      const history = [{ created, ...(options.comment ? { comment: options.comment } : {}), emptyLayer: false }];
      const names = options.reference === undefined ? [] : [options.reference];
      const image = { ...hostPlatform(process.arch), created, config, diffIds: [], history };
      return engine.images.making.add({ config: image, layers: [layer], names });
    });
    engine.events.publish({ type: 'image', action: 'import', id, attributes: { name: options.reference ?? id } });
    span.note({ response: { id } });
    return { id };
  });
}

function emptyArchive(): EngineError {
  return new EngineError('invalid-argument', 'the archive is empty', { code: 'E_ARCHIVE_INVALID', op: 'image.import' });
}
