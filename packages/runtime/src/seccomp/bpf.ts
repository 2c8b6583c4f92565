/**
 * Classic BPF as seccomp runs it: the instructions a filter needs, and their bytes.
 *
 * Knows: struct sock_filter, struct seccomp_data's offsets, the kernel's bound on programs.
 * Does not know: system calls or profiles.
 *
 * @see seccomp(2), kernel Documentation/networking/filter.rst
 */

/** One instruction. `jt` and `jf` count the instructions skipped when a comparison is true or false. */
export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** BPF_MAXINSNS. */
export const PROGRAM_MAX_INSTRUCTIONS = 4096;

/** Numbers of linux/bpf_common.h, combined as the names say. */
export const Op = {
  /** Accumulator = 32-bit word of seccomp_data at offset k. */
  load: 0x20,
  /** Accumulator &= k. */
  and: 0x54,
  jump: 0x05,
  jumpEqual: 0x15,
  jumpGreater: 0x25,
  jumpGreaterOrEqual: 0x35,
  /** Taken where accumulator & k is not 0. */
  jumpAnySet: 0x45,
  return: 0x06,
} as const;

/** Offsets in struct seccomp_data { int nr; u32 arch; u64 ip; u64 args[6]; }. */
export const DATA_NUMBER = 0;
export const DATA_ARCH = 4;

/** Offsets of the two halves of an argument on a little-endian machine. */
export function argumentOffsets(index: number): { readonly low: number; readonly high: number } {
  return { low: 16 + 8 * index, high: 20 + 8 * index };
}

/** What the kernel does with a call; data in the low 16 bits for some. */
export const Return = {
  killProcess: 0x8000_0000,
  killThread: 0x0000_0000,
  trap: 0x0003_0000,
  errno: 0x0005_0000,
  /** Asks an agent through the filter's own descriptor. */
  notify: 0x7fc0_0000,
  trace: 0x7ff0_0000,
  log: 0x7ffc_0000,
  allow: 0x7fff_0000,
} as const;

export function load(offset: number): Instruction {
  return { code: Op.load, jt: 0, jf: 0, k: offset };
}

export function returns(value: number): Instruction {
  return { code: Op.return, jt: 0, jf: 0, k: value };
}

/** struct sock_filter { u16 code; u8 jt; u8 jf; u32 k; } each, little-endian. */
export function encodeProgram(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, { code, jt, jf, k }] of instructions.entries()) {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, jt);
    view.setUint8(index * 8 + 3, jf);
    view.setUint32(index * 8 + 4, k, true);
  }
  return bytes;
}

/** The instructions of a program; the inverse of {@link encodeProgram}, for tests and for showing a filter. */
export function decodeProgram(bytes: Uint8Array): Instruction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength / 8 }, (_, index) => ({
    code: view.getUint16(index * 8, true),
    jt: view.getUint8(index * 8 + 2),
    jf: view.getUint8(index * 8 + 3),
    k: view.getUint32(index * 8 + 4, true),
  }));
}
