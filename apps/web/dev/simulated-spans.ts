/**
 * The call chain of a simulated `docker run`: made-up durations, real shapes.
 *
 * Knows: who calls whom when a container is born. Does not know: any kernel; provenance is "simulated".
 */
import type { Span } from '@slipway/journal';

const OPERATIONS: ReadonlyArray<readonly [op: string, phase: string, pointer: string, reason: string]> = [
  ['clone', 'namespaces', '/linux/namespaces', 'a fresh process in namespaces of its own'],
  ['cgroup.join', 'cgroup', '/linux/cgroupsPath', 'limits must hold before the first instruction'],
  ['sethostname', 'identity', '/hostname', 'the container has its own uts namespace'],
  ['mount private /', 'mounts', '/linux/rootfsPropagation', 'mounts made here must not reach the machine'],
  ['mount overlay', 'mounts', '/root/path', 'image layers below, a writable one on top'],
  ['mount /proc', 'mounts', '/mounts/0', 'the spec lists this mount'],
  ['mount /dev', 'mounts', '/mounts/1', 'the spec lists this mount'],
  ['mount /dev/pts', 'mounts', '/mounts/2', 'the spec lists this mount'],
  ['mount /dev/shm', 'mounts', '/mounts/3', 'the spec lists this mount'],
  ['mount /dev/mqueue', 'mounts', '/mounts/4', 'the spec lists this mount'],
  ['mount /sys', 'mounts', '/mounts/5', 'the spec lists this mount'],
  ['mkdev /dev/null', 'devices', '/linux/devices', 'every container has the default devices'],
  ['mkdev /dev/zero', 'devices', '/linux/devices', 'every container has the default devices'],
  ['mkdev /dev/urandom', 'devices', '/linux/devices', 'every container has the default devices'],
  ['mask /proc/kcore', 'masks', '/linux/maskedPaths/0', 'kernel memory is nobody’s business in there'],
  ['mask /proc/keys', 'masks', '/linux/maskedPaths/1', 'keys of the machine stay hidden'],
  ['readonly /proc/sys', 'masks', '/linux/readonlyPaths/0', 'settings of the machine must not change'],
  ['pivotRoot', 'root', '/root/path', 'the old root is left and unmounted: there is no way back'],
  ['rlimit NOFILE', 'rights', '/process/rlimits/0', 'the process asked for this limit'],
  ['capabilities', 'rights', '/process/capabilities', 'rights that are not listed are dropped'],
  ['seccomp', 'rights', '/linux/seccomp', 'system calls that are not listed fail'],
  ['exec', 'start', '/process/args', 'the program takes over the prepared process'],
];

export interface SpanClock {
  readonly startMs: number;
  readonly container: string;
  readonly trace: string;
  readonly command: string;
}

type SpanMaker = (
  parent: Span | undefined,
  offset: number,
  length: number,
  rest: Omit<Span, 'id' | 'trace' | 'parent' | 'startMs'>,
) => Span;

/** Numbers spans within one trace; offsets are milliseconds since its start. */
function spanMaker({ startMs, container, trace }: SpanClock): SpanMaker {
  let count = 0;
  return (parent, offset, length, rest) => {
    count += 1;
    const from = startMs + offset;
    const id = count === 1 ? trace : `${trace}.${count}`;
    return { id, trace, container, startMs: from, endMs: from + length, ...(parent ? { parent: parent.id } : {}), ...rest };
  };
}

/** Every span of the request, closed, callers first. */
export function runSpans({ startMs, container, trace, command }: SpanClock): readonly Span[] {
  const span = spanMaker({ startMs, container, trace, command });
  const body = JSON.stringify({ Image: 'busybox', Cmd: ['sleep', '300'], HostConfig: { Memory: 67108864, NetworkMode: 'none' } });
  const client = span(undefined, 0, 46.4, { actor: 'client', name: command, protocol: 'argv', source: 'apps/cli/src/docker/run.ts:31' });
  const create = span(client, 2.1, 9.8, {
    actor: 'api',
    name: 'POST /v1.43/containers/create?name=web',
    protocol: 'HTTP over unix socket',
    request: body,
    response: JSON.stringify({ Id: container, Warnings: [] }),
    source: 'packages/docker-api/src/create-route.ts:22',
  });
  const engineCreate = span(create, 2.6, 8.9, {
    actor: 'engine',
    name: 'container.create',
    protocol: 'function call',
    source: 'packages/engine/src/create-container.ts:40',
  });
  const snapshot = span(engineCreate, 3.1, 4.4, {
    actor: 'store',
    name: 'snapshot.prepare',
    protocol: 'function call',
    source: 'packages/snapshots/src/overlay.ts:88',
  });
  const start = span(client, 13.2, 31.6, {
    actor: 'api',
    name: 'POST /v1.43/containers/web/start',
    protocol: 'HTTP over unix socket',
    response: '',
    source: 'packages/docker-api/src/start-route.ts:18',
  });
  const engineStart = span(start, 13.8, 30.4, {
    actor: 'engine',
    name: 'container.start',
    protocol: 'function call',
    source: 'packages/engine/src/start-container.ts:25',
  });
  const shim = span(engineStart, 15.0, 27.2, {
    actor: 'shim',
    name: 'shim.start',
    protocol: 'fork and pipe',
    source: 'packages/launcher/native/shim.c:61',
  });
  const plan = span(engineStart, 14.1, 0.7, {
    actor: 'runtime',
    name: 'runtime.plan',
    protocol: 'function call',
    source: 'packages/runtime/src/plan.ts:52',
  });
  const launch = span(shim, 17.4, 23.1, {
    actor: 'launcher',
    name: 'launcher.perform',
    protocol: 'binary plan over pipe',
    source: 'packages/launcher/native/main.c:40',
  });
  const operations = OPERATIONS.map(([op, phase, pointer, reason], index) =>
    span(launch, 17.8 + index * 1.02, 0.04 + ((index * 7919) % 90) / 100, {
      actor: 'launcher',
      name: op,
      protocol: 'system call',
      operation: { index, op, phase, pointer, reason, errno: 0, args: JSON.stringify({ op, pointer }) },
      source: 'packages/launcher/native/perform.c:120',
    }),
  );
  return [client, create, engineCreate, snapshot, start, engineStart, plan, shim, launch, ...operations];
}

/** A request of one hop, for everything that is not a birth. */
export function plainSpan(trace: string, name: string, at: { readonly startMs: number; readonly container?: string }): readonly Span[] {
  const { startMs, container } = at;
  const mine = container === undefined ? {} : { container };
  const client: Span = {
    id: trace,
    trace,
    actor: 'client',
    name: `docker ${name.split(' ')[0] ?? ''}`,
    startMs,
    endMs: startMs + 9,
    ...mine,
  };
  const api: Span = {
    id: `${trace}.1`,
    parent: trace,
    trace,
    actor: 'api',
    name,
    protocol: 'HTTP over unix socket',
    startMs: startMs + 2,
    endMs: startMs + 8,
    ...mine,
  };
  return [client, api];
}
