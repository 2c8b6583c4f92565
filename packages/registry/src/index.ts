export type { CheckPassword } from './access.ts';
export type {
  BlobReader,
  Listing,
  ManifestReference,
  Page,
  Referrer,
  RegistryBackend,
  StoredManifest,
  Upload,
} from './backend.ts';
export { readHtpasswd } from './htpasswd.ts';
export type { RequestRecord } from './request-record.ts';
export { type RunningRegistry, type ServeOptions, serveRegistry } from './serve.ts';
export { createRegistryServer, type RegistryServerOptions } from './server.ts';
export { checkRegistry, isRegistryRoot, type RegistryReport } from './store/check-registry.ts';
export { openRegistryStore, type RegistryStore, type RegistryStoreOptions } from './store/open-registry-store.ts';
