/**
 * Resource limits of a process: names and numbers.
 *
 * Knows: the kernel's table (the same on x86_64 and arm64) and how "unlimited" is spelled.
 * Does not know: which limits a host lets us raise.
 *
 * @see getrlimit(2)
 */

/** Index = resource number. */
export const RLIMIT_NAMES = [
  'RLIMIT_CPU',
  'RLIMIT_FSIZE',
  'RLIMIT_DATA',
  'RLIMIT_STACK',
  'RLIMIT_CORE',
  'RLIMIT_RSS',
  'RLIMIT_NPROC',
  'RLIMIT_NOFILE',
  'RLIMIT_MEMLOCK',
  'RLIMIT_AS',
  'RLIMIT_LOCKS',
  'RLIMIT_SIGPENDING',
  'RLIMIT_MSGQUEUE',
  'RLIMIT_NICE',
  'RLIMIT_RTPRIO',
  'RLIMIT_RTTIME',
] as const;

/** RLIM_INFINITY as the kernel and config.json write it. */
export const RLIMIT_UNLIMITED = 18_446_744_073_709_551_615n;

const NUMBERS: ReadonlyMap<string, number> = new Map(RLIMIT_NAMES.map((name, number) => [name, number]));

/** The resource number of `RLIMIT_…`; undefined for a name that does not exist. */
export function rlimitNumber(name: string): number | undefined {
  return NUMBERS.get(name);
}

/**
 * A limit as the kernel takes it. JSON's doubles cannot hold 2^64-1; a document read by plain JSON.parse shows it as 2^64,
 * and some writers spell it -1: all three mean unlimited.
 */
export function rlimitValue(value: number | bigint): bigint {
  const exact = BigInt(value);
  return exact < 0n || exact > RLIMIT_UNLIMITED ? RLIMIT_UNLIMITED : exact;
}
