export {
  BlobDirectory,
  type BlobInfo,
  type BlobReader,
  blobPath,
  type ContentStore,
  type ContentStoreOptions,
  openContentStore,
} from './content-store.ts';
export type { Committed, Ingest, IngestOptions } from './ingest.ts';
export { type ContentListing, listContent } from './inspect.ts';
export { BlobReading, lookTwice } from './look-twice.ts';
