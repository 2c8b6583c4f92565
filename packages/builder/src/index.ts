export { type AssembledFiles, type AssembleRequest, assembleImage } from './assemble.ts';
export { type Builder, createBuilder } from './build.ts';
export type { BuilderParts, BuildRequest } from './build-request.ts';
