/**
 * Flags about registries, which several commands have, and what they come to.
 *
 * Knows: their names.
 * Does not know: registries.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostPlatform } from '@slipway/oci';
import type { Context } from '../docker/commands/context.ts';
import type { FlagTable, ParsedFlags } from '../flags.ts';
import type { DestinationOptions, SideOptions, Surroundings } from '../skopeo/transport.ts';

export const REGISTRY_FLAGS: FlagTable = {
  authfile: { kind: 'value' },
  'cert-dir': { kind: 'value' },
  creds: { kind: 'value' },
  'tls-verify': { kind: 'switch' },
};

export function readSide(flags: ParsedFlags): SideOptions {
  const optional = { credentials: flags.value('creds'), authFile: flags.value('authfile'), certificates: flags.value('cert-dir') };
  return {
    tlsVerify: !['false', '0'].includes(flags.value('tls-verify') ?? 'true'),
    anonymous: false,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
}

export function readDestination(flags: ParsedFlags): DestinationOptions {
  return { ...readSide(flags), packing: 'gzip', directoryLayers: 'as-they-are', acceptPlain: false, moreNames: [] };
}

/** What copying images needs around it; its files are gone afterwards. */
export async function withSurroundings<T>({ environment }: Context, use: (surroundings: Surroundings) => Promise<T>): Promise<T> {
  const work = mkdtempSync(join(environment['TMPDIR'] ?? tmpdir(), 'buildah-'));
  let count = 0;
  try {
    return await use({
      environment,
      platform: hostPlatform(process.arch),
      userAgent: 'Buildah/1.28.2 (slipway)',
      temporary: () => join(work, String(count++)),
    });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
