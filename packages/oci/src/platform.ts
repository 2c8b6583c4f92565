/**
 * Platforms: which variant of an image fits this machine.
 *
 * Knows: Go's names for operating systems and architectures, and which variants run each other's code.
 * Does not know: the machine it runs on, except through Node's own `process.arch`.
 */

/** @spec image-spec/image-index.md#image-index-property-descriptions */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** `v7`, `v8`; absent means the architecture's usual one. */
  readonly variant?: string;
}

const ARCHITECTURES: ReadonlyMap<string, string> = new Map([
  ['x64', 'amd64'],
  ['ia32', '386'],
  ['ppc64', 'ppc64le'],
  ['loong64', 'loong64'],
]);

/** The platform of this process, in Go's words: `x64` becomes `amd64`. */
export function hostPlatform(nodeArchitecture: string): Platform {
  return { os: 'linux', architecture: ARCHITECTURES.get(nodeArchitecture) ?? nodeArchitecture };
}

/** True when an image for `offered` runs on `wanted`; arm64 and arm64/v8 are the same, amd64 and amd64/v1 too. */
export function platformMatches(wanted: Platform, offered: Platform): boolean {
  if (wanted.os !== offered.os || wanted.architecture !== offered.architecture) return false;
  return usualVariant(wanted) === usualVariant(offered);
}

/** Variants of 32-bit ARM, best first: each runs what is made for those behind it. */
const ARM_VARIANTS = ['v8', 'v7', 'v6', 'v5'];

/**
 * How well `offered` fits `wanted`: 0 for the same variant, more for a lesser one that runs too, undefined for what does not run.
 * Only 32-bit ARM has such lesser variants; an amd64 machine says its level by itself.
 */
export function platformRank(wanted: Platform, offered: Platform): number | undefined {
  if (platformMatches(wanted, offered)) return 0;
  if (wanted.os !== offered.os || wanted.architecture !== 'arm' || offered.architecture !== 'arm') return undefined;
  const lesser = ARM_VARIANTS.indexOf(usualVariant(offered)) - ARM_VARIANTS.indexOf(usualVariant(wanted));
  return ARM_VARIANTS.includes(usualVariant(offered)) && ARM_VARIANTS.includes(usualVariant(wanted)) && lesser > 0 ? lesser : undefined;
}

/** Reads `linux/arm/v7`, `linux/amd64` or `arm64`. Undefined for anything else. */
export function parsePlatform(text: string): Platform | undefined {
  const parts = text.split('/');
  if (parts.length > 3 || !parts.every((part) => /^[a-z0-9_.-]{1,64}$/i.test(part))) return undefined;
  if (parts.length === 1) return parts[0] === 'linux' ? undefined : { os: 'linux', architecture: parts[0] ?? '' };
  const [os = '', architecture = '', variant] = parts;
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** `linux/amd64`, `linux/arm/v7`. */
export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, ...(platform.variant === undefined ? [] : [platform.variant])].join('/');
}

function usualVariant({ architecture, variant }: Platform): string {
  if (architecture === 'arm64') return variant ?? 'v8';
  if (architecture === 'amd64') return variant ?? 'v1';
  if (architecture === 'arm') return variant ?? 'v7';
  return variant ?? '';
}
