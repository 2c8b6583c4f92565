export { type BlobInfo, type ContentStore, type ContentStoreOptions, openContentStore } from './content-store.ts';
export type { Committed, Ingest, IngestOptions } from './ingest.ts';
