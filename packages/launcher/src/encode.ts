/**
 * A plan as the bytes that the C program reads.
 *
 * Knows: opcodes and argument order (twin of native/plan.c and plan.h).
 * Does not know: pipes and processes, nor the kernel's flag numbers (kernel-flags.ts).
 *
 *     header   magic length mode flags preserveFds timeoutMs logMaxBytes dir log console fifo count
 *     each     opcode breakpoint length arguments…
 */
import { EngineError } from '@slipway/errors';
import { attributeBits, DEVICE_TYPES, NAMESPACE_FLAGS, namespaceFlags, PROPAGATION_FLAGS } from './kernel-flags.ts';
import type { LaunchOptions, Supervision } from './launcher.ts';
import type { MountAttributes, Operation, Plan } from './operations.ts';
import { PlanWriter } from './plan-writer.ts';

const MAGIC = 0x31504c53;
const MAX_PLAN_BYTES = 8 << 20;
const MAX_OPERATIONS = 2048;
const MAX_SLOTS = 512;
const NO_SLOT = 0xffff_ffff;

/** Opcodes; their order is native/plan.h's `enum opcode`. */
export const OPCODES = [
  '',
  'openRoot',
  'openSource',
  'openNamespace',
  'clone',
  'idmap',
  'joinCgroup',
  'oomScore',
  'joinNamespace',
  'unshare',
  'becomeRoot',
  'sessionKeyring',
  'newSession',
  'rootPropagation',
  'bindRoot',
  'mount',
  'bind',
  'device',
  'bindDevice',
  'symlink',
  'console',
  'mask',
  'readonlyPath',
  'pivotRoot',
  'chroot',
  'readonlyRoot',
  'hostname',
  'domainname',
  'loopbackUp',
  'sysctl',
  'rlimit',
  'workdir',
  'findExecutable',
  'umask',
  'noNewPrivileges',
  'boundingSet',
  'user',
  'capabilities',
  'seccomp',
  'awaitStart',
  'exec',
  'runtimeHook',
  'containerHook',
  'confirmStart',
  'deviceProgram',
  'remount',
  'timeNamespace',
  'scheduler',
  'ioPriority',
  'cpuAffinity',
  'memoryPolicy',
  'personality',
  'securityLabel',
  'openListener',
  'seccompNotify',
  'netDevice',
  'enterUserNamespace',
] as const satisfies ReadonlyArray<Operation['op'] | ''>;

const OPCODE_OF = new Map<string, number>(OPCODES.map((name, code) => [name, code]));

const MODES: Readonly<Record<Supervision['mode'], number>> = { shim: 0, detached: 1, foreground: 2 };

/**
 * The bytes of `plan` with what the launcher must know of `options`.
 *
 * @throws EngineError invalid-argument E_LAUNCH_PLAN naming the operation's pointer, when a text holds a NUL character
 *   or a bound of the launcher is passed
 */
export function encodePlan(plan: Plan, options: LaunchOptions): Uint8Array {
  const writer = new PlanWriter();
  const breakpoints = new Set(options.breakpoints);
  if (plan.operations.length > MAX_OPERATIONS) throw refused(`a plan of ${plan.operations.length} operations`, '');
  guarded('', () => writeHeader(writer, plan, options));
  for (const [index, operation] of plan.operations.entries()) {
    writer.u8(OPCODE_OF.get(operation.op) ?? 0);
    writer.u8(breakpoints.has(index) ? 1 : 0);
    writeOperation(writer, operation);
  }
  if (writer.length > MAX_PLAN_BYTES) throw refused(`a plan of ${writer.length} bytes`, '');
  writer.patchU32(4, writer.length);
  return writer.finish();
}

/** Of frozen operations, which plans share: their bytes cannot change. */
const sharedBytes = new WeakMap<Operation, Uint8Array>();

/** Length and arguments. */
function writeOperation(writer: PlanWriter, operation: Operation): void {
  const known = sharedBytes.get(operation);
  if (known !== undefined) {
    writer.raw(known);
    return;
  }
  const from = writer.length;
  writer.u32(0);
  guarded(operation.pointer, () => writeArguments(writer, operation));
  writer.patchU32(from, writer.length - from - 4);
  if (Object.isFrozen(operation)) sharedBytes.set(operation, writer.slice(from));
}

function writeHeader(writer: PlanWriter, plan: Plan, { supervision, startFifo, timeoutMs, bornInGroups }: LaunchOptions): void {
  const shim = supervision.mode === 'shim' ? supervision : undefined;
  const plain = supervision.mode === 'shim' ? undefined : supervision;
  writer.u32(MAGIC);
  writer.u32(0);
  writer.u8(MODES[supervision.mode]);
  writer.u8((shim?.terminal ? 1 : 0) | (shim?.openStdin ? 2 : 0) | (shim?.stdinOnce ? 4 : 0) | (bornInGroups ? 8 : 0));
  writer.u32(plain?.preserveFds ?? 0);
  writer.u32(timeoutMs ?? 0);
  writer.u64(BigInt(Math.trunc(shim?.logMaxBytes ?? 0)));
  writer.text(shim?.dir ?? '');
  writer.text(shim?.logPath ?? '');
  writer.text(plain?.consoleSocket ?? '');
  writer.text(startFifo ?? '');
  writer.u32(plan.operations.length);
}

type Writers = { readonly [K in Operation['op']]: (w: PlanWriter, o: Extract<Operation, { op: K }>) => void };

/** One entry an operation: the order of its arguments. A literal table. */
const WRITERS: Writers = {
  openRoot: (w, o) => w.text(o.hostPath),
  openSource: (w, o) => {
    w.u32(slot(o.slot));
    w.text(o.hostPath);
    w.u32(o.recursive ? 1 : 0);
  },
  openNamespace: (w, o) => {
    w.u32(slot(o.slot));
    w.u32(NAMESPACE_FLAGS[o.kind]);
    w.text(o.hostPath);
  },
  clone: (w, o) => {
    w.u32(namespaceFlags(o.namespaces));
    w.text(o.cgroup ?? '');
    w.numbers((o.through ?? []).map(slot));
  },
  idmap: (w, o) => {
    w.idmap(o.uid);
    w.idmap(o.gid);
    w.u32(o.denySetgroups ? 1 : 0);
  },
  joinCgroup: (w, o) => w.texts(o.procsFiles),
  oomScore: (w, o) => w.u32(o.value),
  joinNamespace: (w, o) => {
    w.u32(slot(o.slot));
    w.u32(NAMESPACE_FLAGS[o.kind]);
  },
  unshare: (w, o) => w.u32(namespaceFlags(o.namespaces)),
  becomeRoot: () => undefined,
  sessionKeyring: (w, o) => w.text(o.name),
  newSession: () => undefined,
  rootPropagation: (w, o) => w.u32(PROPAGATION_FLAGS[o.propagation]),
  bindRoot: (w, o) => w.text(o.hostPath ?? ''),
  mount: (w, o) => {
    w.text(o.destination);
    w.text(o.fsType);
    w.text(o.source);
    writeAttributes(w, o.attributes);
    w.u32(o.copyUp === true ? 1 : 0);
    w.u32(o.propagation === undefined ? 0 : PROPAGATION_FLAGS[o.propagation]);
    w.u32(o.refuseSymlinks ? 1 : 0);
    w.texts(o.data);
  },
  bind: (w, o) => {
    w.u32(slot(o.slot));
    w.text(o.destination);
    writeAttributes(w, o.attributes);
    writeAttributes(w, o.treeAttributes ?? {});
    w.u32(o.propagation === undefined ? 0 : PROPAGATION_FLAGS[o.propagation]);
    w.idmap(o.idmap?.uid ?? []);
    w.idmap(o.idmap?.gid ?? []);
    w.u32(o.idmap?.recursive === true ? 1 : 0);
  },
  device: (w, o) => {
    w.text(o.path);
    w.u32(DEVICE_TYPES[o.type]);
    w.u32(o.major);
    w.u32(o.minor);
    w.u32(o.mode);
    w.u32(o.uid);
    w.u32(o.gid);
  },
  bindDevice: (w, o) => {
    w.text(o.path);
    w.u32(slot(o.slot));
  },
  symlink: (w, o) => {
    w.text(o.path);
    w.text(o.target);
  },
  console: (w, o) => {
    w.u32(o.rows);
    w.u32(o.columns);
  },
  mask: (w, o) => w.text(o.path),
  readonlyPath: (w, o) => w.text(o.path),
  pivotRoot: () => undefined,
  chroot: () => undefined,
  readonlyRoot: () => undefined,
  hostname: (w, o) => w.text(o.name),
  domainname: (w, o) => w.text(o.name),
  loopbackUp: () => undefined,
  sysctl: (w, o) => {
    // As sysctl(8): a slash in the key stands for a dot in the file's name.
    w.text(o.key.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.')));
    w.text(o.value);
  },
  rlimit: (w, o) => {
    w.u32(o.resource);
    w.u64(o.soft);
    w.u64(o.hard);
  },
  workdir: (w, o) => {
    w.text(o.path);
    w.u32(o.create ? 1 : 0);
  },
  findExecutable: (w, o) => {
    w.text(o.name);
    w.text(o.path);
  },
  umask: (w, o) => w.u32(o.mask),
  noNewPrivileges: () => undefined,
  boundingSet: (w, o) => w.numbers(o.keep),
  user: (w, o) => {
    w.u32(o.uid);
    w.u32(o.gid);
    w.numbers(o.additionalGids);
  },
  capabilities: (w, o) => {
    for (const numbers of [o.effective, o.permitted, o.inheritable, o.ambient]) writeCapabilityMask(w, numbers);
  },
  seccomp: (w, o) => {
    w.bytes(o.program);
    w.u32(o.flags);
  },
  awaitStart: () => undefined,
  exec: (w, o) => {
    w.texts(o.args);
    w.texts(o.env);
  },
  // The starter knows which hook that is: it has the plan.
  runtimeHook: () => undefined,
  containerHook: (w, { hook, state }) => {
    w.text(hook.path);
    w.texts(hook.args);
    w.texts(hook.env);
    w.u32(hook.timeoutMs);
    w.text(state[0]);
    w.text(state[1]);
  },
  confirmStart: () => undefined,
  deviceProgram: (w, o) => {
    w.text(o.cgroup);
    w.bytes(o.program);
  },
  remount: (w, o) => {
    w.text(o.destination);
    writeAttributes(w, o.attributes);
    writeAttributes(w, o.treeAttributes ?? {});
    w.texts(o.data);
  },
  timeNamespace: (w, o) => w.text(o.offsets.map(({ clock, secs, nanosecs }) => `${clock} ${secs} ${nanosecs}\n`).join('')),
  scheduler: (w, o) => {
    for (const number of [o.policy, o.nice, o.priority]) w.u32(number);
    for (const number of [BigInt(o.flags), o.runtimeNs, o.deadlineNs, o.periodNs]) w.u64(number);
  },
  ioPriority: (w, o) => w.u32((o.class << 13) | o.priority),
  cpuAffinity: (w, o) => w.numbers(o.cpus),
  memoryPolicy: (w, o) => {
    w.u32(o.mode | o.flags);
    w.numbers(o.nodes);
  },
  personality: (w, o) => w.u32(o.persona),
  securityLabel: (w, o) => {
    w.text(o.attribute);
    w.text(o.value);
  },
  openListener: (w, o) => {
    w.u32(slot(o.slot));
    w.text(o.hostPath);
  },
  seccompNotify: (w, o) => {
    w.bytes(o.program);
    w.u32(o.flags);
    w.u32(slot(o.slot));
    w.texts(o.state);
  },
  netDevice: (w, o) => {
    w.text(o.name);
    w.text(o.target);
    w.u32(o.slot === undefined ? NO_SLOT : slot(o.slot));
  },
  enterUserNamespace: (w, o) => {
    w.text(o.hostPath ?? '');
    w.idmap(o.uid);
    w.idmap(o.gid);
    w.u32(o.denySetgroups ? 1 : 0);
    for (const program of o.helpers ?? ['', '']) w.text(program);
  },
};

function writeArguments(writer: PlanWriter, operation: Operation): void {
  // The table is indexed by the very name that tells the operations apart, which the type system cannot follow.
  const write = WRITERS[operation.op] as ((w: PlanWriter, o: Operation) => void) | undefined;
  if (write === undefined) throw new RangeError(`unknown operation "${operation.op}"`);
  write(writer, operation);
}

function slot(number: number): number {
  if (!Number.isInteger(number) || number < 0 || number >= MAX_SLOTS) throw new RangeError(`slot ${number} is not one of ${MAX_SLOTS}`);
  return number;
}

/** A u64 by its halves, the lower first: a bigint for every bit costs more than all the rest of the plan's numbers. */
function writeCapabilityMask(writer: PlanWriter, numbers: readonly number[]): void {
  let low = 0;
  let high = 0;
  for (const number of numbers) {
    if (number < 32) low |= 1 << number;
    else high |= 1 << (number - 32);
  }
  writer.u32(low);
  writer.u32(high);
}

/** Bits to set, bits to clear. */
function writeAttributes(writer: PlanWriter, attributes: MountAttributes): void {
  const { set, clear } = attributeBits(attributes);
  writer.u32(set);
  writer.u32(clear);
}

/** Turns what the writer refuses into an error that names who asked for it. */
function guarded(pointer: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    if (error instanceof RangeError) throw refused(error.message, pointer, error);
    throw error;
  }
}

function refused(what: string, pointer: string, cause?: unknown): EngineError {
  return new EngineError('invalid-argument', `the launcher does not take ${what}`, {
    code: 'E_LAUNCH_PLAN',
    op: 'launcher.encode',
    subject: pointer,
    cause,
  });
}
