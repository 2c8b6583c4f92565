export { committedDirectories } from './directory-snapshotter.ts';
export { listSnapshots, type SnapshotListing } from './inspect.ts';
export type { Mount } from './mount.ts';
export { openNativeSnapshotter } from './native.ts';
export { type OverlayOptions, openOverlaySnapshotter } from './overlay.ts';
export type { SnapshotDirectories, SnapshotInfo, SnapshotKind, SnapshotStack, Snapshotter } from './snapshotter.ts';
