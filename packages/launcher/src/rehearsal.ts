/**
 * What of a plan can be gone through before the next one like it is asked for.
 *
 * Knows: which operations need nothing of the container they are for.
 * Does not know: whether the next plan will suit; native/rehearsal.c compares them.
 */
import type { Operation, Plan } from './operations.ts';

/** proc needs the container's first process, cgroup2 the v2 group that process is born in. */
const REHEARSED_TYPES: ReadonlySet<string> = new Set(['sysfs', 'tmpfs', 'devpts', 'mqueue', 'cgroup']);

/** New namespaces and file systems of `plan`, as a plan that is never performed; undefined where it makes no mount namespace of its own. */
export function rehearsalOf({ operations }: Plan): Plan | undefined {
  const clone = operations.find((operation) => operation.op === 'clone');
  if (clone === undefined || clone.through !== undefined || !clone.namespaces.includes('mount')) return undefined;
  const { cgroup: _itsOwn, ...kinds } = clone;
  const rest = operations.filter(({ op }) => op === 'unshare' || op === 'loopbackUp' || op === 'pivotRoot');
  const end: Operation = { op: 'exec', args: [], env: [], phase: 'start', pointer: '', reason: 'a plan ends so' };
  return { operations: [kinds, ...rest, ...operations.filter(isRehearsed), end] };
}

function isRehearsed(operation: Operation): boolean {
  return operation.op === 'mount' && operation.destination !== '/' && REHEARSED_TYPES.has(operation.fsType);
}
