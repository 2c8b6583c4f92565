/**
 * Linux capabilities: names and numbers.
 *
 * Knows: all 41 capabilities of Linux 5.9 and later, in kernel order, so that the index is the number.
 * Does not know: which of them a process gets (packages/runtime), nor which this host can give.
 *
 * @see capabilities(7)
 */

/** Index = capability number. */
export const CAPABILITY_NAMES = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
] as const;

export type CapabilityName = (typeof CAPABILITY_NAMES)[number];

const NUMBERS: ReadonlyMap<string, number> = new Map(CAPABILITY_NAMES.map((name, number) => [name, number]));

/** The number of `CAP_…`, spelled exactly so; undefined for a name this engine does not know. */
export function capabilityNumber(name: string): number | undefined {
  return NUMBERS.get(name);
}

/** The name of a capability number; undefined above the last known one. */
export function capabilityName(number: number): CapabilityName | undefined {
  return CAPABILITY_NAMES[number];
}

/** Reads what people type (`net_admin`, `CAP_NET_ADMIN`); undefined when it names no capability. */
export function parseCapability(text: string): CapabilityName | undefined {
  const upper = text.toUpperCase();
  const number = NUMBERS.get(upper.startsWith('CAP_') ? upper : `CAP_${upper}`);
  return number === undefined ? undefined : CAPABILITY_NAMES[number];
}

/** Names of the bits set in a mask as /proc/PID/status prints it (`CapEff` and its siblings), in kernel order. */
export function capabilitiesOfMask(mask: bigint): CapabilityName[] {
  return CAPABILITY_NAMES.filter((_, number) => (mask >> BigInt(number)) & 1n);
}
