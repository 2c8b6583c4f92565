export { type ApplyReport, applyMembers, type LayerTarget } from './apply.ts';
export { DEFAULT_DECOMPRESS_LIMITS, type DecompressLimits, LayerStream } from './decompress.ts';
export { DEFAULT_TAR_LIMITS, type EntryType, type Extent, type TarEntry, type TarLimits, type TarMember } from './tar/entry.ts';
export { readTar } from './tar/read.ts';
export { type EntryInit, tarEnd, tarHeader, tarMember, tarPadding } from './tar/write.ts';
export { type UnpackReport, type UnpackRequest, unpackLayer } from './unpack.ts';
export type { WhiteoutForm } from './whiteouts.ts';
