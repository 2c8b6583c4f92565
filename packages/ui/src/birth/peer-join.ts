/**
 * Two births of one document side by side: our operations and another runtime's steps, joined where they do the same job.
 *
 * Knows: which jobs are done at one stroke by the one and in several calls by the other.
 * Does not know: how either was found out, nor how they are drawn.
 */
import type { PlannedOperation, ProcessView } from '@slipway/contracts';
import { objectText } from './explanations.ts';
import type { PeerStep, Phase } from './peer-steps.ts';

export interface JoinedRow {
  readonly key: string;
  readonly phase: Phase;
  readonly ours: readonly PlannedOperation[];
  readonly theirs: readonly PeerStep[];
  /** Of an operation of ours without a counterpart: why none can be seen, or what is known all the same. */
  readonly instead?: string;
}

/** Operations of ours that are one job for whoever makes the call: where something is attached to the mount tree. */
const FAMILY: Readonly<Record<string, string>> = { bind: 'mount', bindDevice: 'mount' };
/** Done in a row, and not to be told apart: their names are addresses. */
const GROUPED: ReadonlySet<string> = new Set(['symlink']);

/** In the order of our plan; steps that only the other has stand where it took them. */
export function joinBirths(
  operations: readonly PlannedOperation[],
  steps: readonly PeerStep[],
  process: ProcessView | undefined,
): readonly JoinedRow[] {
  const partners = pair(operations, steps);
  const taken = new Set<PeerStep>([...partners.values()].flat());
  const rows: JoinedRow[] = [];
  const grouped = new Set<string>();
  for (const operation of operations) {
    const { op, phase, index } = operation;
    if (grouped.has(op)) continue;
    const theirs = partners.get(operation) ?? [];
    const ours = GROUPED.has(op) ? operations.filter((each) => each.op === op) : [operation];
    if (GROUPED.has(op)) grouped.add(op);
    const instead = theirs.length > 0 ? undefined : knownInstead(op, process);
    rows.push({ key: `ours ${index}`, phase, ours, theirs, ...(instead === undefined ? {} : { instead }) });
  }
  for (const step of steps) if (!taken.has(step)) insert(rows, step);
  return rows;
}

/** By what they are about; what is left of a job, in order within its phase. */
function pair(operations: readonly PlannedOperation[], steps: readonly PeerStep[]): Map<PlannedOperation, PeerStep[]> {
  const partners = new Map<PlannedOperation, PeerStep[]>();
  const free = new Set(steps);
  const give = (operation: PlannedOperation, step: PeerStep) => {
    free.delete(step);
    partners.set(operation, [...(partners.get(operation) ?? []), step]);
  };
  const candidates = (operation: PlannedOperation) => [...free].filter(({ op }) => op === jobOf(operation.op));
  for (const operation of operations) {
    const object = objectText(operation);
    const same = candidates(operation).find((step) => step.object !== '' && sameObject(step.object, object));
    if (same !== undefined) give(operation, same);
  }
  for (const operation of operations) {
    const { op, phase } = operation;
    if (partners.has(operation)) continue;
    const rest = candidates(operation).filter((step) => step.phase === phase && step.from !== 'the mount table it left');
    for (const step of GROUPED.has(op) ? rest : rest.slice(0, 1)) give(operation, step);
  }
  for (const step of [...free]) {
    // The other does it again, as it went on: the same rights are dropped twice.
    const operation = [...partners].find(([, [first]]) => first?.op === step.op && step.object === '')?.[0];
    if (operation !== undefined) give(operation, step);
  }
  return partners;
}

function jobOf(op: string): string {
  return FAMILY[op] ?? op;
}

/** Kinds of namespaces in any order, paths as they stand. */
function sameObject(theirs: string, ours: string): boolean {
  const words = (text: string) => text.split(', ').toSorted().join();
  return words(theirs) === words(ours);
}

/** After the row of the step before it, in that row's phase if its own job has none of ours. */
function insert(rows: JoinedRow[], step: PeerStep): void {
  const before = rows.findLastIndex(({ theirs }) => theirs.some(({ number }) => number < step.number));
  const inPhase = rows.findLastIndex(({ phase }) => phase === step.phase);
  const at = step.op === '' || inPhase < 0 ? before : Math.max(before, rows.findIndex(({ phase }) => phase === step.phase) - 1);
  const phase = step.op === '' || inPhase < 0 ? (rows[before]?.phase ?? rows[0]?.phase ?? step.phase) : step.phase;
  const place = rows[at]?.phase === phase || at < 0 ? at : inPhase;
  rows.splice(place + 1, 0, { key: `theirs ${step.number}`, phase, ours: [], theirs: [step] });
}

const NOT_RECORDED = 'a file is opened: openat is not recorded, there would be thousands';
const INSTEAD: Readonly<Record<string, (process: ProcessView) => string>> = {
  joinCgroup: ({ cgroups }) => `written to a file; afterwards /proc/PID/cgroup says ${cgroups.at(-1)?.path ?? 'nothing'}`,
  oomScore: ({ oomScoreAdj }) => `written to a file; afterwards /proc/PID/oom_score_adj says ${oomScoreAdj}`,
  idmap: ({ uidMap }) => `written to a file; afterwards /proc/PID/uid_map has ${uidMap.length} lines`,
  sysctl: () => 'written to a file: write is not recorded',
  loopbackUp: () => 'asked of the kernel through a socket: that is not recorded',
  openRoot: () => NOT_RECORDED,
  openSource: () => NOT_RECORDED,
  openNamespace: () => NOT_RECORDED,
  findExecutable: () => 'looking for a file is not recorded',
  awaitStart: () => 'opening a fifo is not recorded; between its last two calls it waited there',
};

function knownInstead(op: string, process: ProcessView | undefined): string | undefined {
  const tell = INSTEAD[op];
  return process === undefined ? undefined : tell?.(process);
}
