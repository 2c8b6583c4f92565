export type {
  GarbageReport,
  Image,
  ImageLayer,
  ImageStore,
  ImageStoreOptions,
  LoadOptions,
  LoadProgress,
  LoadReport,
  PreparedRootfs,
  RemoveReport,
} from './image-store.ts';
export { openImageStore } from './open-image-store.ts';
