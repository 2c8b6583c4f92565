/**
 * The bounds of every event, for events that come out of a machine or a file.
 *
 * Knows: each field of each type in types.ts, and how large it may be. A field added there must be added here, or the types complain.
 * Does not know: lines, rates or who may send which type (intake.ts).
 */
import { boolean, type Check, fail, integer, list, number, object, oneOf, optional, record, text } from './schema.ts';
import type {
  CgroupSample,
  CheckFact,
  ContainerFact,
  DiskFact,
  JournalBody,
  JournalEvent,
  KernelProcessEvent,
  KernelSyscallEvent,
  LayersFact,
  NamespaceInodes,
  OverlayMount,
  ProcessFact,
  ProcessRights,
  ProcessRoot,
  Span,
  UpperEntry,
} from './types.ts';

const PID = integer(0, 4_194_304);
const ID = text(128);
const NAME = text(512);
const PATH = text(4096);
/** Monotonic milliseconds: up to three hundred years after boot. */
const TIME = number(0, 1e13);
const AMOUNT = number(0, Number.MAX_SAFE_INTEGER);
const INODE = integer(0);

const span = object<Span>({
  id: ID,
  parent: optional(ID),
  trace: ID,
  actor: oneOf('client', 'api', 'engine', 'store', 'registry', 'network', 'shim', 'runtime', 'launcher', 'kernel'),
  name: NAME,
  protocol: optional(text(128)),
  startMs: TIME,
  endMs: optional(TIME),
  container: optional(ID),
  pid: optional(PID),
  request: optional(text(8192)),
  response: optional(text(8192)),
  error: optional(object<NonNullable<Span['error']>>({ code: text(128), message: text(1024) })),
  operation: optional(
    object<NonNullable<Span['operation']>>({
      index: integer(0, 100_000),
      op: text(64),
      phase: text(64),
      pointer: text(512),
      reason: text(512),
      errno: integer(-4096, 4096),
      args: text(8192),
      ahead: optional(object<NonNullable<NonNullable<Span['operation']>['ahead']>>({ startMs: TIME, endMs: TIME })),
    }),
  ),
  source: optional(text(256)),
});

const container = object<ContainerFact>({
  id: ID,
  name: text(256),
  image: NAME,
  command: list(text(1024), 64),
  status: oneOf('created', 'running', 'paused', 'exited', 'removed'),
  pid: optional(PID),
  shimPid: optional(PID),
  exitCode: optional(integer(-255, 255)),
  oomKilled: optional(boolean),
  createdAt: text(64),
  api: text(32),
  memoryLimitBytes: optional(AMOUNT),
  cpus: optional(number(0, 1e6)),
  pidsLimit: optional(AMOUNT),
  network: optional(text(256)),
  cgroups: optional(record(PATH, 32)),
  hostname: optional(text(256)),
});

const namespaces = object<NamespaceInodes>({
  user: optional(INODE),
  mnt: optional(INODE),
  pid: optional(INODE),
  net: optional(INODE),
  ipc: optional(INODE),
  uts: optional(INODE),
  cgroup: optional(INODE),
  time: optional(INODE),
});

const process = object<ProcessFact>({
  pid: PID,
  ppid: PID,
  startTime: text(32),
  comm: text(64),
  argv: list(text(256), 32),
  uid: integer(0, 4_294_967_295),
  innerPid: optional(PID),
  namespaces,
  cgroup: optional(PATH),
  container: optional(ID),
  role: optional(oneOf('init', 'exec', 'shim', 'spare', 'engine', 'shell', 'workbench')),
  state: optional(text(16)),
  rights: optional(
    object<ProcessRights>({ effective: text(16), noNewPrivileges: boolean, seccompFilters: optional(integer(0, 1_000_000)) }),
  ),
  root: optional(object<ProcessRoot>({ directory: PATH, readOnly: optional(boolean) })),
  uidMap: optional(text(512)),
});

const cgroupSample = object<CgroupSample>({
  path: PATH,
  container: optional(ID),
  version: oneOf('v1', 'v2'),
  memoryBytes: optional(AMOUNT),
  memoryLimitBytes: optional(AMOUNT),
  memoryPeakBytes: optional(AMOUNT),
  oomKills: optional(AMOUNT),
  memoryLimitHits: optional(AMOUNT),
  cpuUsageUs: optional(AMOUNT),
  cpuFraction: optional(number(0, 1e6)),
  cpuQuota: optional(number(0, 1e6)),
  throttledUs: optional(AMOUNT),
  throttledPeriods: optional(AMOUNT),
  pids: optional(AMOUNT),
  pidsLimit: optional(AMOUNT),
  pidsLimitHits: optional(AMOUNT),
  cpus: optional(text(256)),
  frozen: optional(boolean),
  members: optional(AMOUNT),
  files: optional(record(text(512), 32)),
});

const upperEntry = object<UpperEntry>({
  path: PATH,
  kind: oneOf('file', 'directory', 'symlink', 'device', 'whiteout', 'opaque'),
  sizeBytes: AMOUNT,
  mountPoint: optional(boolean),
  covers: optional(boolean),
});

const overlayMount = object<OverlayMount>({
  mountPoint: PATH,
  lower: list(PATH, 16),
  upper: optional(PATH),
  work: optional(PATH),
  mountLine: text(8192),
  entries: list(upperEntry, 200),
  truncated: optional(boolean),
});

const layers = object<LayersFact>({
  container: ID,
  snapshotter: oneOf('overlay', 'native'),
  lower: list(
    object<LayersFact['lower'][number]>({
      digest: text(160),
      directory: PATH,
      sizeBytes: optional(AMOUNT),
      createdBy: optional(text(1024)),
    }),
    128,
  ),
  upperDirectory: PATH,
  mountLine: optional(text(8192)),
  upper: list(upperEntry, 500),
  truncated: optional(boolean),
});

const disk = object<DiskFact>({
  root: PATH,
  snapshotter: oneOf('overlay', 'native'),
  totalBytes: AMOUNT,
  freeBytes: AMOUNT,
  blobBytes: AMOUNT,
  layers: list(
    object<DiskFact['layers'][number]>({ chainId: text(160), diskBytes: AMOUNT, images: list(NAME, 16), elsewhere: optional(boolean) }),
    200,
  ),
  containers: list(
    object<DiskFact['containers'][number]>({ id: ID, name: text(256), image: NAME, diskBytes: AMOUNT, seenBytes: AMOUNT }),
    200,
  ),
  pendingBytes: AMOUNT,
  buildBytes: AMOUNT,
  truncated: optional(boolean),
});

const check = object<CheckFact>({ lesson: ID, task: ID, status: oneOf('open', 'passed', 'regressed'), saw: optional(text(1024)) });

const kernelFields = {
  pid: PID,
  hostPid: PID,
  hostPidOnly: optional(boolean),
  comm: text(64),
  filename: optional(PATH),
  childPid: optional(PID),
  childHostPid: optional(PID),
  namespaces: optional(list(oneOf('user', 'mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup', 'time'), 8)),
  container: optional(ID),
};
const kernelProcess = object<KernelProcessEvent>(kernelFields);
const kernelSyscall = object<KernelSyscallEvent>({
  ...kernelFields,
  syscall: text(64),
  args: record(text(256), 8),
  result: optional(integer(-4096)),
});

type BodyOf<Type extends JournalBody['type']> = Extract<JournalBody, { readonly type: Type }>;
type BodyChecks = { readonly [Type in JournalBody['type']]: Check<BodyOf<Type>> };

const bodies: BodyChecks = {
  epoch: object<BodyOf<'epoch'>>({
    type: oneOf('epoch'),
    wallMs: number(0, 1e14),
    machine: ID,
    kernel: text(256),
    cgroupMode: oneOf('v1', 'v2', 'hybrid'),
    engine: text(128),
  }),
  span: object<BodyOf<'span'>>({ type: oneOf('span'), span }),
  container: object<BodyOf<'container'>>({ type: oneOf('container'), container }),
  processes: object<BodyOf<'processes'>>({ type: oneOf('processes'), processes: list(process, 512), truncated: optional(boolean) }),
  cgroups: object<BodyOf<'cgroups'>>({ type: oneOf('cgroups'), samples: list(cgroupSample, 512), truncated: optional(boolean) }),
  layers: object<BodyOf<'layers'>>({ type: oneOf('layers'), layers }),
  disk: object<BodyOf<'disk'>>({ type: oneOf('disk'), disk }),
  overlays: object<BodyOf<'overlays'>>({ type: oneOf('overlays'), mounts: list(overlayMount, 16), truncated: optional(boolean) }),
  'kernel.exec': object<BodyOf<'kernel.exec'>>({ type: oneOf('kernel.exec'), event: kernelProcess }),
  'kernel.fork': object<BodyOf<'kernel.fork'>>({ type: oneOf('kernel.fork'), event: kernelProcess }),
  'kernel.exit': object<BodyOf<'kernel.exit'>>({ type: oneOf('kernel.exit'), event: kernelProcess }),
  'kernel.syscall': object<BodyOf<'kernel.syscall'>>({ type: oneOf('kernel.syscall'), event: kernelSyscall }),
  'kernel.oom': object<BodyOf<'kernel.oom'>>({ type: oneOf('kernel.oom'), event: kernelProcess }),
  check: object<BodyOf<'check'>>({ type: oneOf('check'), check }),
  command: object<BodyOf<'command'>>({ type: oneOf('command'), terminal: ID, line: text(4096) }),
  notice: object<BodyOf<'notice'>>({ type: oneOf('notice'), level: oneOf('info', 'warning', 'error'), text: text(2048) }),
  gap: object<BodyOf<'gap'>>({ type: oneOf('gap'), reason: text(512), count: optional(AMOUNT) }),
};

const header = object<Pick<JournalEvent, 'seq' | 'atMs' | 'origin'>>({
  seq: integer(1),
  atMs: TIME,
  origin: oneOf('machine', 'host'),
});

/** A bounded copy of a body of unknown origin. @throws InvalidValue naming the field at fault */
export function checkBody(value: unknown): JournalBody {
  const type: unknown = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
  if (typeof type !== 'string' || !Object.hasOwn(bodies, type)) return fail('type', 'is none that a journal holds');
  const body: Check<JournalBody> = bodies[type as JournalBody['type']];
  return body(value, '');
}

/** A bounded copy of a whole event of unknown origin. @throws InvalidValue naming the field at fault */
export function checkEvent(value: unknown): JournalEvent {
  return { ...checkBody(value), ...header(value, '') };
}
