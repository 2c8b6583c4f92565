/**
 * skopeo's flags: which there are, and what they come to.
 *
 * Knows: names, also where each exists twice, for the source and for the destination.
 * Does not know: commands.
 */
import { type FlagTable, type ParsedFlags, UsageError } from '../flags.ts';
import type { SideOptions } from './transport.ts';

const SIDE = {
  'tls-verify': { kind: 'switch' },
  creds: { kind: 'value' },
  username: { kind: 'value' },
  password: { kind: 'value' },
  'no-creds': { kind: 'switch' },
  authfile: { kind: 'value' },
  'cert-dir': { kind: 'value' },
  'daemon-host': { kind: 'value' },
} as const satisfies FlagTable;

/** What every command with one image has. */
export const ONE_SIDE: FlagTable = { ...SIDE, 'retry-times': { kind: 'value' } };

const prefixed = (prefix: string): FlagTable => Object.fromEntries(Object.entries(SIDE).map(([name, spec]) => [`${prefix}-${name}`, spec]));

/** What copy and sync have. */
export const TWO_SIDES: FlagTable = {
  ...prefixed('src'),
  ...prefixed('dest'),
  authfile: { kind: 'value' },
  'retry-times': { kind: 'value' },
  all: { kind: 'switch', short: 'a' },
  format: { kind: 'value', short: 'f' },
  'preserve-digests': { kind: 'switch' },
  'remove-signatures': { kind: 'switch' },
};

/** @param prefix `src-`, `dest-` or nothing */
export function readSide(flags: ParsedFlags, prefix: '' | 'src-' | 'dest-'): SideOptions {
  const value = (name: keyof typeof SIDE) => flags.value(`${prefix}${name}`);
  const [user, password] = [value('username'), value('password')];
  if ((user === undefined) !== (password === undefined)) throw new UsageError('username and password must be given together');
  const credentials = value('creds') ?? (user === undefined ? undefined : `${user}:${password}`);
  const authFile = value('authfile') ?? flags.value('authfile');
  const optional = { credentials, authFile, certificates: value('cert-dir'), daemonHost: value('daemon-host') };
  return {
    tlsVerify: !['false', '0'].includes(value('tls-verify') ?? 'true'),
    anonymous: flags.has(`${prefix}no-creds`),
    ...Object.fromEntries(Object.entries(optional).filter(([, found]) => found !== undefined)),
  };
}

/** `--format`. */
export function readFormat(flags: ParsedFlags): { readonly format?: 'oci' | 'docker' } {
  const text = flags.value('format');
  if (text === undefined) return {};
  if (text === 'oci') return { format: 'oci' };
  if (text === 'v2s2') return { format: 'docker' };
  throw new UsageError(
    `unknown format "${text}". Choose one of the supported formats: 'oci' or 'v2s2'${text === 'v2s1' ? '; schema 1 is written no longer' : ''}`,
  );
}
