/**
 * A seccomp document → the program that the kernel runs before every system call.
 *
 * Knows: which architectures this machine's calls can come from, the flags, and the bound on programs; keeps what it
 *   compiled, since the containers of one engine share a handful of profiles.
 * Does not know: who loads the program (packages/launcher).
 *
 * @spec runtime-spec/config-linux.md#seccomp
 */
import { EngineError } from '@slipway/errors';
import { SECCOMP_ARCHITECTURES, type SpecSeccomp } from '@slipway/oci';
import { ARCHITECTURES, type Architecture, type ArchitectureName, architecture, machineArchitectures } from './architectures.ts';
import { encodeProgram, PROGRAM_MAX_INSTRUCTIONS } from './bpf.ts';
import { generateProgram } from './generate.ts';
import { invalid, planPolicy } from './policy.ts';

export interface CompiledSeccomp {
  /** struct sock_filter array in host byte order, 8 bytes an instruction. */
  readonly program: Uint8Array;
  /** SECCOMP_FILTER_FLAG_… bits. */
  readonly flags: number;
  /** Some calls are an agent's to decide: the filter must be installed with a listener. */
  readonly notifies: boolean;
  /** What of the document has no effect here, a sentence each. */
  readonly warnings: readonly string[];
}

const FLAGS: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 1,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 32,
};

/** Documents remembered; the oldest goes first. */
const REMEMBERED = 32;
const remembered = new Map<string, CompiledSeccomp>();
/** An engine hands out its own profile again and again: the same object, which need not be read to be known. Of this machine. */
const rememberedObjects = new WeakMap<SpecSeccomp, CompiledSeccomp>();

/**
 * Compiles for a machine (`x64`, `arm64`; this one when absent). The same document gives the same object again.
 *
 * @throws EngineError `invalid-argument` / `E_SECCOMP_INVALID` naming the field; `unsupported` / `E_SECCOMP_UNSUPPORTED`
 */
export function compileSeccomp(profile: SpecSeccomp, machine: string = process.arch): CompiledSeccomp {
  const seen = machine === process.arch ? rememberedObjects.get(profile) : undefined;
  if (seen !== undefined) return seen;
  const compiled = compileOnce(profile, machine);
  if (machine === process.arch) rememberedObjects.set(profile, compiled);
  return compiled;
}

function compileOnce(profile: SpecSeccomp, machine: string): CompiledSeccomp {
  const text = JSON.stringify(profile, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
  const key = `${machine} ${text}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const compiled = compileAnew(profile, machine);
  if (remembered.size >= REMEMBERED) remembered.delete(remembered.keys().next().value ?? '');
  remembered.set(key, compiled);
  return compiled;
}

function compileAnew(profile: SpecSeccomp, machine: string): CompiledSeccomp {
  const own = machineArchitectures(machine);
  if (own === undefined) throw unsupported(`seccomp filters for ${machine} are not supported`, 'architectures');
  const architectures = chooseArchitectures(profile, own).map(architecture);
  const instructions = generateProgram(architectures.map((each) => planPolicy(profile, each)));
  if (instructions.length > PROGRAM_MAX_INSTRUCTIONS) {
    throw invalid('syscalls', `the filter needs ${instructions.length} instructions, and the kernel takes ${PROGRAM_MAX_INSTRUCTIONS}`);
  }
  const notifies = (profile.syscalls ?? []).some(({ action }) => action === 'SCMP_ACT_NOTIFY');
  const warnings = findWarnings(profile, architectures);
  return { program: encodeProgram(instructions), flags: flagsOf(profile) & ~flagsWithout(notifies), notifies, warnings };
}

const KNOWN_ARCHITECTURES: ReadonlySet<string> = new Set(SECCOMP_ARCHITECTURES);

/** This machine's own mode always; its other modes where the document lists them; other machines' names say nothing here. */
function chooseArchitectures(profile: SpecSeccomp, own: readonly ArchitectureName[]): ArchitectureName[] {
  const listed = profile.architectures ?? [];
  for (const [index, name] of listed.entries()) {
    if (!KNOWN_ARCHITECTURES.has(name)) throw invalid(`architectures/${index}`, `unknown architecture ${JSON.stringify(name)}`);
  }
  return own.filter((name, index) => index === 0 || listed.includes(name));
}

/** Absent: no slow-down of the whole process against speculation, which a filter does not need (the kernel's default since 5.16). */
function flagsOf(profile: SpecSeccomp): number {
  if (profile.flags === undefined || profile.flags === null) return FLAGS['SECCOMP_FILTER_FLAG_SPEC_ALLOW'] ?? 0;
  return profile.flags.reduce((bits, name, index) => {
    const bit = FLAGS[name];
    if (bit === undefined) throw unsupported(`seccomp flag ${JSON.stringify(name)} is not supported`, `flags/${index}`);
    return bits | bit;
  }, 0);
}

/**
 * What the kernel refuses or does not need: waiting for an agent where there is none, and, where there is one, the filtering of other
 * threads, of which the process has none but the launcher's own messenger.
 */
function flagsWithout(notifies: boolean): number {
  return FLAGS[notifies ? 'SECCOMP_FILTER_FLAG_TSYNC' : 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] ?? 0;
}

function findWarnings(profile: SpecSeccomp, architectures: readonly Architecture[]): string[] {
  const unknown = findUnknown(profile, architectures);
  const modes = (profile.architectures ?? []).filter((name) => name === 'SCMP_ARCH_X32' || name === 'SCMP_ARCH_ARM');
  const native = architectures[0]?.name;
  return [
    ...(unknown.length === 0
      ? []
      : [`seccomp: unknown system calls ignored: ${unknown.slice(0, 20).join(', ')}${unknown.length > 20 ? ' …' : ''}`]),
    ...(modes.includes('SCMP_ARCH_X32') && native === 'SCMP_ARCH_X86_64' ? ['seccomp: x32 calls stay refused (ENOSYS)'] : []),
    ...(modes.includes('SCMP_ARCH_ARM') && native === 'SCMP_ARCH_AARCH64' ? ['seccomp: 32-bit ARM programs stay refused'] : []),
  ];
}

/** Names that no table has. Most are in our own, so that the others need not be read. */
function findUnknown({ syscalls = [] }: SpecSeccomp, own: readonly Architecture[]): string[] {
  const foreign = syscalls.flatMap(({ names }) => names.filter((name) => !own.some(({ calls }) => calls.has(name))));
  return [...new Set(foreign)].filter((name) => !ARCHITECTURES.some((each) => architecture(each).calls.has(name)));
}

function unsupported(message: string, at: string): EngineError {
  return new EngineError('unsupported', message, { code: 'E_SECCOMP_UNSUPPORTED', op: 'seccomp.compile', subject: `/linux/seccomp/${at}` });
}
