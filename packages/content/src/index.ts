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
export { type BlobState, type ContentListing, inspectBlob, listContent } from './inspect.ts';
