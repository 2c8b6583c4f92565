export {
  CAPABILITY_NAMES,
  type CapabilityName,
  capabilitiesOfMask,
  capabilityName,
  capabilityNumber,
  parseCapability,
} from './capabilities.ts';
export { type DefaultSpecOptions, defaultSpec, OCI_VERSION } from './default-spec.ts';
export { type Descriptor, readDescriptor } from './descriptor.ts';
export {
  type ChainId,
  chainId,
  chainIds,
  type DiffId,
  type Digest,
  digestOf,
  isDigest,
  parseDiffId,
  parseDigest,
  splitDigest,
} from './digest.ts';
export { DOCKER_DEFAULTS } from './docker-defaults.ts';
export { FieldReader, isObject, type JsonObject, MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES, parseJsonObject } from './document.ts';
export {
  type ExecutionDefaults,
  type Healthcheck,
  type HistoryEntry,
  type ImageConfig,
  isReservedLabel,
  layerHistory,
  parseImageConfig,
} from './image-config.ts';
export { type Index, type Manifest, parseManifestOrIndex } from './manifest.ts';
export { isConfigType, isIndexType, isManifestType, type LayerCompression, layerCompression, MediaTypes } from './media-types.ts';
export {
  isPropagation,
  type MountOptionAttributes,
  type MountPropagation,
  type ParsedMountOptions,
  parseMountOptions,
} from './mount-options.ts';
export { formatPlatform, hostPlatform, type Platform, parsePlatform, platformMatches, platformRank } from './platform.ts';
export { familiarName, familiarReference, formatReference, isRepositoryPath, isTag, parseReference, type Reference } from './reference.ts';
export { RLIMIT_NAMES, RLIMIT_UNLIMITED, rlimitNumber, rlimitValue } from './rlimits.ts';
export type {
  RuntimeSpec,
  SpecCapabilities,
  SpecDevice,
  SpecHook,
  SpecIdMapping,
  SpecLinux,
  SpecMount,
  SpecProcess,
  SpecResources,
  SpecSeccomp,
} from './runtime-spec.ts';
export { planSeccompProfile } from './seccomp-profile.ts';
export { parseSignal, SIGNAL_NUMBERS, signalName } from './signals.ts';
export { formatSpecJson, parseSpecJson, SPEC_MAX_BYTES } from './spec-json.ts';
export { validateProcess } from './validate-process.ts';
export { MEMORY_LIMIT_MIN_BYTES, validateResources } from './validate-resources.ts';
export { MEMORY_POLICY_FLAGS, MEMORY_POLICY_MODES } from './validate-scheduling.ts';
export {
  SECCOMP_ACTIONS,
  SECCOMP_ARCHITECTURES,
  SECCOMP_FLAGS,
  SECCOMP_OPERATORS,
  type SeccompAction,
  type SeccompOperator,
} from './validate-seccomp.ts';
export { findSpecIssues, HOOK_KINDS, validateSpec } from './validate-spec.ts';
export { configJson, formatImageConfig, formatManifest } from './write-image-config.ts';
