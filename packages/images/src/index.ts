export { type CheckOptions, checkStore } from './check/check-store.ts';
export type { StoreFaultCode, StoreFinding, StoreLeftoverCode, StoreReport } from './check/store-report.ts';
export { type ArchiveMaker, openArchiveMaker } from './image-archive.ts';
export type {
  BuildCache,
  CachedStep,
  GarbageReport,
  Image,
  ImageLayer,
  ImageStore,
  ImageStoreOptions,
  LoadOptions,
  LoadProgress,
  LoadReport,
  NewImage,
  NewLayer,
  PackedRootfs,
  PackOptions,
  PreparedRootfs,
  RemoveReport,
  RootfsChange,
  TreeRoot,
} from './image-store.ts';
export { openImageStore } from './open-image-store.ts';
export type {
  LazyNotice,
  PullOptions,
  PullProgress,
  PullReport,
  PushOptions,
  PushProgress,
  PushReport,
  RegistrySettings,
  RemoteImage,
} from './registry-port.ts';
export { type SharedImagesSource, writeSharedImages } from './shared/write-shared-images.ts';
