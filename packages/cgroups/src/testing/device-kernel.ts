/**
 * What the kernel does with device rules, for tests: the machine that runs programs (v2), and the list of exceptions (v1).
 *
 * Knows: the few instructions that are used, and devcgroup's way with its list.
 * Does not know: how either was made.
 *
 * @see kernel security/device_cgroup.c
 */
import type { WantedWrite } from '../control-writes.ts';

export interface DeviceRequest {
  readonly type: 'b' | 'c';
  readonly major: number;
  readonly minor: number;
  /** Bits: 1 mknod, 2 read, 4 write. */
  readonly access: number;
}

interface Decoded {
  readonly code: number;
  readonly target: number;
  readonly source: number;
  readonly jump: number;
  readonly value: number;
}

export function disassemble(program: Uint8Array): string[] {
  return decode(program).map(({ code, target, source, jump, value }) => {
    const words: Readonly<Record<number, string>> = {
      97: `r${target} = context[${jump}]`,
      183: `r${target} = ${value}`,
      191: `r${target} = r${source}`,
      87: `r${target} &= ${value}`,
      167: `r${target} ^= ${value}`,
      79: `r${target} |= r${source}`,
      119: `r${target} >>= ${value}`,
      85: `if r${target} != ${value} skip ${jump}`,
      69: `if r${target} & ${value} skip ${jump}`,
      5: `skip ${jump}`,
      149: 'exit',
    };
    return words[code] ?? `unknown ${code}`;
  });
}

/** Runs it. @throws when it leaves its end, as the kernel's verifier would not let it */
export function askProgram(program: Uint8Array, { type, major, minor, access }: DeviceRequest): boolean {
  const context: Readonly<Record<number, number>> = { 0: (access << 16) | (type === 'b' ? 1 : 2), 4: major, 8: minor };
  const registers = Array.from({ length: 11 }, () => Number.NaN);
  const instructions = decode(program);
  for (let at = 0; ; at++) {
    const instruction = instructions[at];
    if (instruction === undefined) throw new Error(`the program runs past its end at ${at}`);
    const { code, target, source, jump, value } = instruction;
    const held = registers[target] ?? Number.NaN;
    if (code === 149) return registers[0] === 1;
    if (code === 97) registers[target] = context[jump] ?? Number.NaN;
    else if (code === 183) registers[target] = value;
    else if (code === 191) registers[target] = registers[source] ?? Number.NaN;
    else if (code === 87) registers[target] = held & value;
    else if (code === 167) registers[target] = held ^ value;
    else if (code === 79) registers[target] = held | (registers[source] ?? Number.NaN);
    else if (code === 119) registers[target] = held >>> value;
    else if (code === 5 || (code === 85 && held !== value) || (code === 69 && (held & value) !== 0)) at += jump;
    else if (code !== 85 && code !== 69) throw new Error(`unknown instruction ${code} at ${at}`);
  }
}

function decode(program: Uint8Array): readonly Decoded[] {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  return Array.from({ length: program.byteLength / 8 }, (_, index) => ({
    code: view.getUint8(index * 8),
    target: view.getUint8(index * 8 + 1) & 15,
    source: view.getUint8(index * 8 + 1) >> 4,
    jump: view.getInt16(index * 8 + 2, true),
    value: view.getInt32(index * 8 + 4, true),
  }));
}

interface Exception {
  readonly key: string;
  access: number;
}

/** Performs the writes on a fresh group's list and asks it: `a` clears it whatever else is written, and taking back needs the exact name. */
export function askList(writes: readonly WantedWrite[], request: DeviceRequest): boolean {
  let allowsByDefault = true;
  let exceptions: Exception[] = [];
  for (const { file, value } of writes) {
    const allow = file === 'devices.allow';
    const [type = '', numbers = '', letters = ''] = value.split(' ');
    if (type === 'a') {
      allowsByDefault = allow;
      exceptions = [];
      continue;
    }
    const key = `${type} ${numbers}`;
    const bits = [...letters].reduce((sum, letter) => sum | ({ m: 1, r: 2, w: 4 }[letter] ?? 0), 0);
    const same = exceptions.find((each) => each.key === key);
    if (allow === allowsByDefault) {
      if (same !== undefined) same.access &= ~bits;
    } else if (same === undefined) exceptions.push({ key, access: bits });
    else same.access |= bits;
  }
  const matching = exceptions.filter(({ key, access }) => access !== 0 && matches(key, request));
  if (allowsByDefault) return !matching.some(({ access }) => (access & request.access) !== 0);
  return matching.some(({ access }) => (request.access & ~access) === 0);
}

function matches(key: string, { type, major, minor }: DeviceRequest): boolean {
  const [kind, numbers = ''] = key.split(' ');
  const [first, second] = numbers.split(':');
  return kind === type && (first === '*' || first === String(major)) && (second === '*' || second === String(minor));
}
