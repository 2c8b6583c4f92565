export { TAR_SIZE_ANNOTATION, TOC_DIGEST_ANNOTATION } from './estargz/toc.ts';
export { EstargzWriter, type WriteOptions, type WrittenLayer } from './estargz/write.ts';
export type { LazyEvent } from './events.ts';
export type { Below } from './layer-tree.ts';
export { type PlannedLayer, planLazyLayers } from './plan-layers.ts';
export { hasIndex, type LayerIndex, readLayerIndex } from './read-index.ts';
export { type ServerSession, sessionFiles } from './server-task.ts';
export { findSession, isServed, sessionEvents, startServer, startSession, uncoverLayers } from './session.ts';
