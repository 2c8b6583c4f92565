export { RegistryClient, type RegistryClientOptions, type ResolvedReference } from './client.ts';
export { type Credentials, parseRegistryAuth, readCredentials, registryDomain } from './credentials.ts';
export { DockerConfig } from './docker-config.ts';
export { type Mirror, parseMirror } from './mirror.ts';
export type { Repository } from './repository.ts';
export { SharedFetches } from './shared-fetches.ts';
