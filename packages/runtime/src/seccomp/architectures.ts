/**
 * The architectures a filter can be compiled for: their audit numbers and system calls.
 *
 * Knows: x86_64 with its 32-bit mode, and arm64.
 * Does not know: profiles.
 */
import { AARCH64_CALLS, X86_64_CALLS, X86_CALLS } from './syscall-tables.gen.ts';

export type ArchitectureName = 'SCMP_ARCH_X86_64' | 'SCMP_ARCH_X86' | 'SCMP_ARCH_AARCH64';

export interface Architecture {
  readonly name: ArchitectureName;
  /** AUDIT_ARCH_…, what seccomp_data.arch holds for a call made in this mode. */
  readonly audit: number;
  /** Width of a call's arguments; the kernel hands narrow ones to a filter with zeros above. */
  readonly argumentBits: 32 | 64;
  /** Call name → number. */
  readonly calls: ReadonlyMap<string, number>;
  /** Call name → the call that also leads to it, by the number in its first argument. @see socketcall(2), ipc(2) */
  readonly multiplexed: ReadonlyMap<string, { readonly through: string; readonly selector: number }>;
}

/** A call number with this bit is an x32 call, made under x86_64's audit number. */
export const X32_BIT = 0x4000_0000;

/** Selectors from 1 on, as linux/net.h and linux/ipc.h count them; `-` is none. */
const MULTIPLEXERS = {
  socketcall:
    'socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg',
  ipc: 'semop semget semctl semtimedop - - - - - - msgsnd msgrcv msgget msgctl - - - - - - shmat shmdt shmget shmctl',
} as const;

function demultiplex(): Architecture['multiplexed'] {
  const entries = Object.entries(MULTIPLEXERS).flatMap(([through, names]) =>
    names.split(' ').map((name, index) => [name, { through, selector: index + 1 }] as const),
  );
  return new Map(entries.filter(([name]) => name !== '-'));
}

interface Source {
  readonly audit: number;
  readonly argumentBits: 32 | 64;
  readonly runs: Readonly<Record<number, string>>;
}

const SOURCES: Readonly<Record<ArchitectureName, Source>> = {
  SCMP_ARCH_X86_64: { audit: 0xc000_003e, argumentBits: 64, runs: X86_64_CALLS },
  SCMP_ARCH_X86: { audit: 0x4000_0003, argumentBits: 32, runs: X86_CALLS },
  SCMP_ARCH_AARCH64: { audit: 0xc000_00b7, argumentBits: 64, runs: AARCH64_CALLS },
};

/** All that there are tables of. */
export const ARCHITECTURES = Object.keys(SOURCES) as readonly ArchitectureName[];

const parsed = new Map<ArchitectureName, Architecture>();

/** An architecture with its table; the table is read at first use. */
export function architecture(name: ArchitectureName): Architecture {
  const known = parsed.get(name);
  if (known !== undefined) return known;
  const { audit, argumentBits, runs } = SOURCES[name];
  const calls = new Map<string, number>();
  for (const [first, names] of Object.entries(runs)) {
    for (const [index, call] of names.split(' ').entries()) calls.set(call, Number(first) + index);
  }
  const made = { name, audit, argumentBits, calls, multiplexed: name === 'SCMP_ARCH_X86' ? demultiplex() : new Map() };
  parsed.set(name, made);
  return made;
}

/** Machine (as Node names it) → its own mode first, then the others its kernel may run. Undefined: no tables for it. */
export function machineArchitectures(machine: string): readonly ArchitectureName[] | undefined {
  if (machine === 'x64') return ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'];
  return machine === 'arm64' ? ['SCMP_ARCH_AARCH64'] : undefined;
}
