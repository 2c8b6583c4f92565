/**
 * Limits as properties of a systemd unit.
 *
 * systemd writes what it knows of a unit into the group again whenever it sees a reason to; a limit that it is not told would not last.
 *
 * Knows: which control file of v2 belongs to which property.
 * Does not know: how limits become writes (plan-v2.ts); device rules, which are a program of ours that systemd leaves alone.
 *
 * @see systemd.resource-control(5), org.freedesktop.systemd1(5)
 */
import type { DbusVariant } from '@slipway/kernel';
import type { CgroupPlan } from '../control-writes.ts';

export type UnitProperty = readonly [name: string, value: DbusVariant];

const NO_LIMIT = (1n << 64n) - 1n;
const USEC_PER_SEC = 1_000_000n;
/** systemd takes shares of a second in steps of this size. */
const QUOTA_STEP_USEC = 10_000n;

/** Whatever has no property is in the control file alone, which systemd does not write then. */
export function planProperties({ writes }: CgroupPlan): UnitProperty[] {
  return writes.flatMap(({ hierarchy, file, value }) => (hierarchy === 'unified' ? (PROPERTIES[file]?.(value) ?? []) : []));
}

type Translate = (value: string) => readonly UnitProperty[];

const number =
  (name: string): Translate =>
  (value) => [[name, { type: 't', value: limitOf(value) }]];

const set =
  (name: string): Translate =>
  (value) => [[name, { type: 'ay', value: bitsOf(value) }]];

const PROPERTIES: Readonly<Record<string, Translate>> = {
  'memory.max': number('MemoryMax'),
  'memory.high': number('MemoryHigh'),
  'memory.low': number('MemoryLow'),
  'memory.min': number('MemoryMin'),
  'memory.swap.max': number('MemorySwapMax'),
  'pids.max': number('TasksMax'),
  'cpu.weight': number('CPUWeight'),
  // A weight of 0 is systemd's word for idle.
  'cpu.idle': (value) => (value === '1' ? [['CPUWeight', { type: 't', value: 0n }]] : []),
  'cpu.max': (value) => {
    const [quota = 'max', period = '100000'] = value.split(' ');
    return [
      ['CPUQuotaPerSecUSec', { type: 't', value: quota === 'max' ? NO_LIMIT : perSecond(BigInt(quota), BigInt(period)) }],
      ['CPUQuotaPeriodUSec', { type: 't', value: BigInt(period) }],
    ];
  },
  'cpuset.cpus': set('AllowedCPUs'),
  'cpuset.mems': set('AllowedMemoryNodes'),
};

function limitOf(value: string): bigint {
  return value === 'max' ? NO_LIMIT : BigInt(value);
}

/** Rounded up: a container is never given less than its document says. */
function perSecond(quota: bigint, period: bigint): bigint {
  const exact = (quota * USEC_PER_SEC + period - 1n) / period;
  return ((exact + QUOTA_STEP_USEC - 1n) / QUOTA_STEP_USEC) * QUOTA_STEP_USEC;
}

/** `0-2,9` → bytes with these bits set, the lowest first. */
function bitsOf(list: string): number[] {
  const bytes: number[] = [];
  for (const range of list.split(',')) {
    const [first = 0, last = first] = range.split('-').map(Number);
    for (let bit = first; bit <= last; bit += 1) {
      while (bytes.length <= bit >> 3) bytes.push(0);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
  }
  return bytes;
}
