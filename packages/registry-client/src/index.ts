export { RegistryClient, type RegistryClientOptions, type ResolvedReference } from './client.ts';
export type { Credentials } from './credentials.ts';
export type { Mirror } from './mirror.ts';
export type { ProxyRules } from './proxy.ts';
export type { Repository, RepositoryPlace } from './repository.ts';
export { SharedFetches } from './shared-fetches.ts';
