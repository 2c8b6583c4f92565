/**
 * Device rules as cgroup v2 takes them: a program that the kernel asks about every open and every mknod of a device.
 *
 *     rules                                program
 *     deny  a *:* rwm                      load type, access, major, minor
 *     allow c *:* m                ─▶      c 1:3?            → allow      the last rule is asked first
 *     allow c 1:3 rwm                      c, access only m? → allow
 *                                          deny                           a rule about everything ends it
 *
 * Each bit of the wanted access is decided by the last rule that speaks of it: a rule that denies one of them ends it with no, a rule
 * that allows takes its bits off, and yes is the answer when none is left.
 *
 * Knows: the instructions of extended BPF it needs, and what the kernel hands to such a program.
 * Does not know: how a program is loaded and attached (packages/launcher).
 *
 * @see linux/bpf.h, struct bpf_cgroup_dev_ctx; kernel Documentation/bpf/instruction-set.rst
 */
import type { SpecResources } from '@slipway/oci';
import { ALL_ACCESS, type DeviceRule, isTotal, parseDeviceRules } from './device-rules.ts';
import type { CgroupMode } from './host.ts';

/** One instruction: `jump` counts the instructions skipped. */
interface Instruction {
  readonly code: number;
  readonly target?: number;
  readonly source?: number;
  readonly jump?: number;
  readonly value?: number;
}

/** Class, operation and operand kind together, as the names say. */
const CODE = {
  loadWord: 0x61,
  moveNumber: 0xb7,
  moveRegister: 0xbf,
  and: 0x57,
  xor: 0xa7,
  or: 0x4f,
  shiftRight: 0x77,
  ifNot: 0x55,
  ifBits: 0x45,
  jump: 0x05,
  exit: 0x95,
} as const;

/** Registers: the answer, the context, what is known of the request, and how it differs from a rule. */
const REGISTER = { answer: 0, context: 1, type: 2, access: 3, major: 4, minor: 5, difference: 6, spare: 7 } as const;

/** Offsets in `struct bpf_cgroup_dev_ctx { u32 access_type; u32 major; u32 minor; }`; access_type is access << 16 | type. */
const OFFSET = { accessType: 0, major: 4, minor: 8 };
const TYPE = { b: 1, c: 2 } as const;

/**
 * The program for a group's rules; undefined where there are none, where v1 enforces them, and in a user namespace, where the kernel
 * itself keeps everybody from devices.
 */
export function planDeviceProgram(
  devices: SpecResources['devices'],
  { mode, canSetDevices }: { readonly mode: CgroupMode; readonly canSetDevices: boolean },
): Uint8Array | undefined {
  if (mode !== 'v2' || !canSetDevices || devices === undefined || devices.length === 0) return undefined;
  return compileDeviceRules(parseDeviceRules(devices));
}

/** Eight bytes an instruction, little-endian. Without a rule about everything, what no rule speaks of is allowed, as with v1. */
export function compileDeviceRules(rules: readonly DeviceRule[]): Uint8Array {
  const backwards = rules.toReversed();
  const end = backwards.findIndex(isTotal);
  const asked = end < 0 ? backwards : backwards.slice(0, end);
  const last = backwards[end]?.allow ?? true;
  return encode([...PROLOGUE, ...asked.flatMap(compileRule), ...answer(last)]);
}

const PROLOGUE: readonly Instruction[] = [
  { code: CODE.loadWord, target: REGISTER.type, source: REGISTER.context, jump: OFFSET.accessType },
  { code: CODE.moveRegister, target: REGISTER.access, source: REGISTER.type },
  { code: CODE.and, target: REGISTER.type, value: 0xffff },
  { code: CODE.shiftRight, target: REGISTER.access, value: 16 },
  { code: CODE.loadWord, target: REGISTER.major, source: REGISTER.context, jump: OFFSET.major },
  { code: CODE.loadWord, target: REGISTER.minor, source: REGISTER.context, jump: OFFSET.minor },
];

function compileRule({ allow, type, major, minor, access }: DeviceRule): readonly Instruction[] {
  const verdict = [...(allow ? takeOff(access) : requireOverlap(access)), ...answer(allow)];
  const wanted = [
    ...(type === 'a' ? [] : [{ register: REGISTER.type, value: TYPE[type] }]),
    ...(major === undefined ? [] : [{ register: REGISTER.major, value: major }]),
    ...(minor === undefined ? [] : [{ register: REGISTER.minor, value: minor }]),
  ];
  if (wanted.length === 0) return verdict;
  return [...wanted.flatMap(collectDifference), ifNot(REGISTER.difference, 0, verdict.length), ...verdict];
}

/**
 * Comparing the registers themselves would be shorter, but after each comparison the kernel's verifier knows more of them and follows
 * the rest of the program once more: a few hundred rules would be too many for it.
 */
function collectDifference({ register, value }: { register: number; value: number }, index: number): readonly Instruction[] {
  const into = index === 0 ? REGISTER.difference : REGISTER.spare;
  const difference = [
    { code: CODE.moveRegister, target: into, source: register },
    { code: CODE.xor, target: into, value },
  ];
  return index === 0 ? difference : [...difference, { code: CODE.or, target: REGISTER.difference, source: REGISTER.spare }];
}

/** Goes on to the answer when nothing of the access is left to be decided; else past it. */
function takeOff(access: number): readonly Instruction[] {
  if (access === ALL_ACCESS) return [];
  return [{ code: CODE.and, target: REGISTER.access, value: ALL_ACCESS & ~access }, ifNot(REGISTER.access, 0, 2)];
}

/** Goes on to the answer when one of the bits is wanted; else past it. */
function requireOverlap(access: number): readonly Instruction[] {
  if (access === ALL_ACCESS) return [];
  return [
    { code: CODE.ifBits, target: REGISTER.access, value: access, jump: 1 },
    { code: CODE.jump, jump: 2 },
  ];
}

function ifNot(register: number, value: number, jump: number): Instruction {
  return { code: CODE.ifNot, target: register, value, jump };
}

function answer(allow: boolean): readonly Instruction[] {
  return [{ code: CODE.moveNumber, target: REGISTER.answer, value: allow ? 1 : 0 }, { code: CODE.exit }];
}

/** struct bpf_insn { u8 code; u8 dst:4, src:4; s16 off; s32 imm; } each. */
function encode(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, { code, target = 0, source = 0, jump = 0, value = 0 }] of instructions.entries()) {
    view.setUint8(index * 8, code);
    view.setUint8(index * 8 + 1, target | (source << 4));
    view.setInt16(index * 8 + 2, jump, true);
    view.setInt32(index * 8 + 4, value, true);
  }
  return bytes;
}
