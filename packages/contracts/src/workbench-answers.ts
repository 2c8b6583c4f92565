/**
 * What the workbench agent answers, request by request.
 *
 * Knows: the shape and the bounds of everything that may come out of a machine: labd cuts a machine's agent off that says more.
 * Does not know: who asks (workbench.ts has the requests).
 */
import { z } from 'zod';
import { ImageAnswers } from './image-answers.ts';
import { Failure } from './session.ts';
import { MAX_LAYERS, NAMESPACE_KINDS, type WorkbenchVerb } from './workbench.ts';

const Word = z.string().max(300);
const Sentence = z.string().max(2000);
const Pointer = z.string().max(1000);
const Config = z.string().max(1_000_000);
const Count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const list = <T extends z.ZodType>(of: T, max: number) => z.array(of).max(max);

const Issue = z.object({ pointer: Pointer, message: Sentence });
export type WorkbenchIssue = z.infer<typeof Issue>;

/** `packages/launcher/native/mounts.c:174`. */
const SourceLine = z.string().regex(/^[\w./-]{1,200}:\d{1,6}$/);

/** One operation of a plan as a picture needs it. */
const PlannedOperation = z.object({
  index: Count,
  op: z.string().regex(/^[A-Za-z]{1,40}$/),
  phase: z.enum(['prepare', 'clone', 'identity', 'mounts', 'devices', 'settings', 'hooks', 'root', 'rights', 'start']),
  /** JSON pointer into the document; empty where the runtime itself needs it. */
  pointer: Pointer,
  reason: Sentence,
  /** The operation's own arguments, in order, as text. */
  args: list(z.object({ name: Word, value: Sentence }), 40),
  /** The lines of this checkout that planned it and that perform it. */
  plannedAt: list(SourceLine, 8),
  performedAt: SourceLine.optional(),
});
export type PlannedOperation = z.infer<typeof PlannedOperation>;
const Operations = list(PlannedOperation, 2000);

/** A limit on its way: what is written to a control file of the container's cgroup before its process joins it. */
const PlannedWrite = z.object({ pointer: Pointer, path: Sentence, value: Sentence });
export type PlannedWrite = z.infer<typeof PlannedWrite>;

const Plan = z.object({
  operations: Operations,
  writes: list(PlannedWrite, 500),
  /** What a withheld right made us leave out. */
  warnings: list(Sentence, 200),
  /** Why there is no plan; then there are no operations. */
  issues: list(Issue, 200),
});
export type WorkbenchPlan = z.infer<typeof Plan>;

const MountLine = z.object({
  id: Count,
  parentId: Count,
  mountPoint: Sentence,
  root: Sentence,
  fsType: Word,
  source: Sentence,
  options: z.string().max(4000),
  propagation: Word,
});

const IdRange = z.object({ inside: Count, outside: Count, size: Count });

/** What a process is, read from /proc and the cgroup file system at one moment. */
const ProcessView = z.object({
  pid: Count,
  /** The machine's own inode where it is the same: then the namespace is not the container's own. */
  namespaces: list(z.object({ kind: z.enum(NAMESPACE_KINDS), inode: Count, own: z.boolean() }), 8),
  mounts: list(MountLine, 2000),
  mountsLeftOut: Count,
  /** Names in its root directory, directories with a slash at the end. */
  rootEntries: list(Word, 200),
  uidMap: list(IdRange, 50),
  gidMap: list(IdRange, 50),
  uid: Count,
  gid: Count,
  groups: list(Count, 100),
  /** Names by set. */
  capabilities: z.object({
    effective: list(Word, 64),
    permitted: list(Word, 64),
    bounding: list(Word, 64),
    inheritable: list(Word, 64),
    ambient: list(Word, 64),
  }),
  noNewPrivileges: z.boolean(),
  seccomp: z.enum(['off', 'strict', 'filter']),
  cgroups: list(z.object({ controllers: Word, path: Sentence }), 40),
  cwd: Sentence,
  /** Absent where it cannot be seen from outside. */
  hostname: Word.optional(),
  program: Sentence,
  oomScoreAdj: z.number().int().min(-1000).max(1000),
  /** Soft and hard by name. */
  limits: list(z.object({ name: Word, soft: Word, hard: Word }), 32),
});
export type ProcessView = z.infer<typeof ProcessView>;

const OperationOutcome = z.object({
  index: Count,
  startMs: z.number(),
  endMs: z.number(),
  errno: z.number().int(),
  call: Word.optional(),
  skipped: z.boolean(),
});
export type OperationOutcome = z.infer<typeof OperationOutcome>;

const Birth = z.object({
  birth: Word,
  /**
   * `stopped` before operation `at`; `created`: everything is done and the program waits to be started; `running`, `ended`; `failed`
   * and `undone` leave nothing behind.
   */
  status: z.enum(['stopped', 'created', 'running', 'ended', 'failed', 'undone']),
  at: Count.optional(),
  operations: Operations,
  warnings: list(Sentence, 200),
  outcomes: list(OperationOutcome, 2000),
  /** As it is now; absent before `clone` and after the end. */
  process: ProcessView.optional(),
  failure: Failure.optional(),
  exitCode: z.number().int().min(0).max(255).optional(),
  /** What the program wrote, up to 64 KiB. */
  output: z.string().max(70_000).optional(),
});
export type BirthView = z.infer<typeof Birth>;

const Probe = z.object({
  id: Word,
  question: Sentence,
  /** What the probe printed in each of the two containers. */
  whole: Sentence,
  without: Sentence,
  leaks: z.boolean(),
});
export type LeakProbe = z.infer<typeof Probe>;

const Evidence = z.object({
  pointer: Pointer,
  /** A file or a line of one: `/proc/PID/mountinfo`. */
  source: Sentence,
  found: z.string().max(8000),
  /** Whether it is as the document asks; absent where that cannot be told by looking. */
  holds: z.boolean().optional(),
});
export type RunEvidence = z.infer<typeof Evidence>;

const Run = z.object({
  runtime: Word,
  version: Sentence,
  exitCode: z.number().int().min(0).max(255).optional(),
  timedOut: z.boolean(),
  stdout: z.string().max(70_000),
  stderr: z.string().max(70_000),
  /** Present for our own runtime. */
  operations: Operations,
  outcomes: list(OperationOutcome, 2000),
  process: ProcessView.optional(),
  evidence: list(Evidence, 400),
  failure: Failure.optional(),
});
export type WorkbenchRun = z.infer<typeof Run>;

/** runc's birth as it looked from the machine: what the process was when it had been made and not begun. */
const Peer = z.object({
  /** Absolute, as it was executed. */
  program: Word,
  version: Sentence,
  process: ProcessView.optional(),
  failure: Failure.optional(),
});

/** One system call as the host's kernel recorded it. */
export interface TapedCall {
  readonly atMs: number;
  /** Absent: its return was not seen. */
  readonly tookMs?: number;
  /** Number of the process in the tree of the program that was called, in order of birth; 0 is the program. A thread's calls are its process's. */
  readonly process: number;
  /** `clone` stands for clone, clone3, fork and vfork, `execve` for execveat too. */
  readonly syscall: string;
  /** In the call's order, numbers in hexadecimal; what points to memory is the pointer alone. Of `execve` the file's name, of `clone` the flags. */
  readonly args: Readonly<Record<string, string>>;
  /** Negative: an errno. Of `clone` the child's number in the tree. */
  readonly result?: number;
}

/** labd adds what the machine cannot see of itself. */
export type PeerBirth = z.infer<typeof Peer> & {
  readonly calls: readonly TapedCall[];
  /** The kernel's buffer ran over, or there were more calls than are kept. */
  readonly truncated: boolean;
};

const LayerEntryKind = z.enum(['file', 'directory', 'symlink', 'device', 'whiteout']);
export type LayerEntryKind = z.infer<typeof LayerEntryKind>;

const LayerLook = z.object({
  at: z.enum(['missing', ...LayerEntryKind.options]),
  /** Nothing of the layers below is seen here: the path, or a directory above it, is deleted, replaced or no directory in this layer. */
  hides: z.boolean(),
  /** What the layer has in the directory, by name. */
  entries: list(z.object({ name: Word, kind: LayerEntryKind, sizeBytes: Count, blocksBytes: Count }), 2000),
  truncated: z.boolean(),
});
export type LayerLook = z.infer<typeof LayerLook>;

/** What the agent answers, by request. */
export const WorkbenchAnswers = {
  images: z.object({ images: list(Word, 500) }),
  spec: z.object({ config: Config }),
  containers: z.object({ containers: list(z.object({ id: Word, name: Word, image: Word }), 500) }),
  fromContainer: z.object({ config: Config, image: Word }),
  fromDockerRun: z.object({
    config: Config,
    image: Word,
    /** Which flag set which fields. */
    origins: list(z.object({ flag: Word, pointers: list(Pointer, 200) }), 200),
  }),
  /** By layer, in the order of the question. */
  layers: z.object({ path: z.string().max(4000), layers: list(LayerLook, MAX_LAYERS) }),
  ...ImageAnswers,
  validate: z.object({ issues: list(Issue, 200) }),
  plan: Plan,
  birth: Birth,
  go: Birth,
  inspect: ProcessView,
  /** Which of its namespaces are its own: only those have to be entered, and may be. */
  shell: z.object({ pid: z.number().int().min(2).max(10_000_000), namespaces: list(z.enum(NAMESPACE_KINDS), 8) }),
  peer: Peer,
  openRun: z.object({ run: z.number().int().min(1).max(0x7fff_ffff) }),
  seeRun: Run,
  exportBundle: z.object({ path: z.string().regex(/^\/root\/bundle-\d{1,4}$/) }),
  delete: z.object({}),
  leaks: z.object({ probes: list(Probe, 40), failure: Failure.optional() }),
  run: Run,
} satisfies Record<WorkbenchVerb, z.ZodType>;

/** What labd makes of some answers, for the page: of shells and runs the terminal that it opened, of runc's birth the calls that it recorded. */
interface Completed {
  readonly shell: { readonly terminal: string };
  readonly peer: PeerBirth;
  readonly openRun: { readonly run: number; readonly terminal: string };
}

/** What the page gets. */
export type WorkbenchAnswer<Verb extends WorkbenchVerb> = Verb extends keyof Completed
  ? Completed[Verb]
  : z.infer<(typeof WorkbenchAnswers)[Verb]>;

/** One line from the agent, before `result` has been read as the answer to what was asked. */
export const WorkbenchReply = z.union([
  z.object({ id: Count, result: z.unknown(), failure: z.undefined().optional() }),
  z.object({ id: Count, failure: Failure }),
  z.object({ page: Count, event: Birth }),
]);
export type WorkbenchReply = z.infer<typeof WorkbenchReply>;
