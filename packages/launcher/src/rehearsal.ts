/**
 * What of a plan can be gone through before the next one like it is asked for.
 *
 * Knows: which operations need nothing of the container they are for.
 * Does not know: whether the next plan will agree; native/rehearsal.c compares them.
 */
import type { Operation, Plan } from './operations.ts';

/** proc needs the container's first process, cgroup2 the v2 group that this process is born in. */
const REHEARSED_TYPES: ReadonlySet<string> = new Set(['sysfs', 'tmpfs', 'devpts', 'mqueue', 'cgroup']);

/**
 * New namespaces and file systems of `plan`, with what is made in these before anything else comes in there; as a plan that is never performed
 * to its end. Undefined where it makes no mount namespace of its own.
 */
export function rehearsalOf({ operations }: Plan): Plan | undefined {
  const clone = operations.find((operation) => operation.op === 'clone');
  if (clone === undefined || clone.through !== undefined || !clone.namespaces.includes('mount')) return undefined;
  const { cgroup: _itsOwn, ...kinds } = clone;
  const rest = operations.filter(({ op }) => op === 'unshare' || op === 'loopbackUp' || op === 'pivotRoot');
  const end: Operation = { op: 'exec', args: [], env: [], phase: 'start', pointer: '', reason: 'a plan ends so' };
  return { operations: [kinds, ...rest, ...staged(operations), end] };
}

function staged(operations: readonly Operation[]): Operation[] {
  const tops: { readonly path: string; isOpen: boolean }[] = [];
  return operations.filter((operation) => {
    const path = pathOf(operation);
    if (path === undefined || path === '/') return false;
    const top = tops.find((each) => path === each.path || path.startsWith(`${each.path}/`));
    const fits = canBeStaged(operation) && (top?.isOpen ?? operation.op === 'mount');
    if (top === undefined && fits) tops.push({ path, isOpen: true });
    if (top !== undefined) top.isOpen = fits;
    return fits;
  });
}

/** The path of the container that an operation changes. */
function pathOf(operation: Operation): string | undefined {
  if (operation.op === 'console') return '/dev/console';
  if ('destination' in operation) return operation.destination;
  return 'path' in operation ? operation.path : undefined;
}

function canBeStaged(operation: Operation): boolean {
  if (operation.op === 'mount') return REHEARSED_TYPES.has(operation.fsType) && operation.copyUp !== true;
  return operation.op === 'device' || operation.op === 'symlink';
}
