/**
 * A realistic journal, made by code: `docker run -d --name web busybox sleep 300` in a machine, seen by engine, kernel and samplers.
 *
 * Knows: what such a run writes, in which order and at which times.
 * Does not know: any real machine; tests and component previews use it (provenance: simulated).
 */
import type { CgroupSample, ContainerFact, JournalBody, JournalEvent, Origin, ProcessFact, Span } from '../types.ts';

const MACHINE_NS = {
  user: 4026532100,
  mnt: 4026532101,
  pid: 4026532102,
  net: 4026532103,
  ipc: 4026532104,
  uts: 4026532105,
  cgroup: 4026532106,
};

export interface ScenarioOptions {
  /** How many containers are run, one after the other. */
  readonly containers: number;
  /** Launcher operations of each birth. Default 30. */
  readonly operations?: number;
  /** Containers stopped and removed again, from the first. Default 0. */
  readonly removed?: number;
}

/** Numbers bodies as a journal would. */
export function numbered(bodies: ReadonlyArray<readonly [body: JournalBody, atMs: number, origin?: Origin]>): JournalEvent[] {
  return bodies.map(([body, atMs, origin = 'host'], index) => ({ ...body, seq: index + 1, atMs, origin }));
}

export function scenario({ containers, operations = 30, removed = 0 }: ScenarioOptions): JournalEvent[] {
  const bodies: Array<[JournalBody, number, Origin?]> = [
    [{ type: 'epoch', wallMs: 1_790_000_000_000, machine: 'm1', kernel: '6.18.0', cgroupMode: 'hybrid', engine: 'slipwayd 0.1.0' }, 1000],
    [{ type: 'processes', processes: basicProcesses() }, 1010],
    [{ type: 'cgroups', samples: [cgroup('/', undefined, 5)] }, 1010],
  ];
  const alive: number[] = [];
  for (let n = 0; n < containers; n++) {
    alive.push(n);
    bodies.push(...birth(n, operations, alive));
  }
  for (let n = 0; n < removed; n++) {
    alive.shift();
    bodies.push(...removal(n, bornAt(containers) + n * 100, alive));
  }
  return numbered(bodies);
}

export function containerId(n: number): string {
  return n.toString(16).padStart(4, '0').repeat(16);
}

const bornAt = (n: number): number => 2000 + n * 1000;

function birth(n: number, operations: number, alive: readonly number[]): Array<[JournalBody, number, Origin?]> {
  const at = bornAt(n);
  const id = containerId(n);
  const root = span(`t${n}`, undefined, {
    actor: 'api',
    name: 'POST /containers/create',
    startMs: at + 10,
    container: id,
    protocol: 'HTTP over unix socket',
  });
  const create = span(`t${n}.1`, root, { actor: 'engine', name: 'create', startMs: at + 11, protocol: 'function call' });
  const launch = span(`t${n}.2`, create, { actor: 'launcher', name: 'launch', startMs: at + 12, protocol: 'binary plan over pipe' });
  const machine = (body: JournalBody, when: number): [JournalBody, number, Origin] => [body, when, 'machine'];
  return [
    [{ type: 'command', terminal: 'term1', line: `docker run -d --name web${n} busybox sleep 300` }, at],
    ...[root, create, launch].map((entry) => machine({ type: 'span', span: entry }, entry.startMs)),
    ...Array.from({ length: operations }, (_, index) => machine({ type: 'span', span: operation(launch, index, operations) }, at + 15)),
    machine({ type: 'span', span: { ...launch, endMs: at + 15 } }, at + 15),
    machine({ type: 'container', container: container(n, 'created') }, at + 15),
    machine({ type: 'span', span: { ...create, endMs: at + 16 } }, at + 16),
    machine({ type: 'span', span: { ...root, endMs: at + 17, response: `{"Id":"${id}"}` } }, at + 17),
    [
      { type: 'kernel.fork', event: { pid: 20, hostPid: 5020, comm: 'slipwayd', childPid: 100 + 2 * n, childHostPid: 5100 + 2 * n } },
      at + 12,
    ],
    [
      { type: 'kernel.exec', event: { pid: 101 + 2 * n, hostPid: 5101 + 2 * n, comm: 'sleep', filename: '/bin/sleep', container: id } },
      at + 18,
    ],
    machine({ type: 'container', container: container(n, 'running') }, at + 19),
    machine({ type: 'layers', layers: layers(n) }, at + 20),
    [{ type: 'processes', processes: [...basicProcesses(), ...alive.flatMap(containerProcesses)] }, at + 48],
    [
      {
        type: 'cgroups',
        samples: [
          cgroup('/', undefined, 5 + alive.length * 2),
          ...alive.map((i) => cgroup(`/slipway/${containerId(i)}`, containerId(i), 1)),
        ],
      },
      at + 60,
    ],
  ];
}

function removal(n: number, at: number, alive: readonly number[]): Array<[JournalBody, number, Origin?]> {
  return [
    [{ type: 'command', terminal: 'term1', line: `docker rm -f web${n}` }, at],
    [{ type: 'kernel.exit', event: { pid: 101 + 2 * n, hostPid: 5101 + 2 * n, comm: 'sleep', container: containerId(n) } }, at + 5],
    [{ type: 'container', container: { ...container(n, 'exited'), exitCode: 137 } }, at + 6, 'machine'],
    [{ type: 'container', container: { ...container(n, 'removed'), exitCode: 137 } }, at + 8, 'machine'],
    [{ type: 'processes', processes: [...basicProcesses(), ...alive.flatMap(containerProcesses)] }, at + 40],
  ];
}

function span(id: string, parent: Span | undefined, rest: Omit<Span, 'id' | 'parent' | 'trace'>): Span {
  return { id, trace: parent?.trace ?? id, ...(parent && { parent: parent.id }), ...rest };
}

function operation(launch: Span, index: number, total: number): Span {
  const startMs = launch.startMs + (3 * index) / total;
  const details = {
    index,
    op: 'mount',
    phase: 'mounts',
    pointer: `/mounts/${index}`,
    reason: 'the spec lists this mount',
    errno: 0,
    args: '{"destination":"/proc"}',
  };
  return span(`${launch.id}.${index}`, launch, {
    actor: 'kernel',
    name: 'mount /proc',
    protocol: 'system call',
    startMs,
    endMs: startMs + 3 / total,
    operation: details,
    source: 'packages/launcher/native/mounts.c:10',
  });
}

export function container(n: number, status: ContainerFact['status']): ContainerFact {
  return {
    id: containerId(n),
    name: `web${n}`,
    image: 'busybox',
    command: ['sleep', '300'],
    status,
    ...(status === 'running' && { pid: 101 + 2 * n, shimPid: 100 + 2 * n }),
    createdAt: '2026-09-21T00:00:00Z',
    api: 'docker',
    memoryLimitBytes: 67_108_864,
    cgroups: { memory: `/slipway/${containerId(n)}` },
  };
}

function basicProcesses(): ProcessFact[] {
  const make = (pid: number, ppid: number, comm: string, role?: ProcessFact['role']): ProcessFact => ({
    pid,
    ppid,
    startTime: String(1000 + pid),
    comm,
    argv: [comm],
    uid: 0,
    namespaces: MACHINE_NS,
    cgroup: '/',
    state: 'S',
    ...(role && { role }),
  });
  return [make(1, 0, 'init'), make(20, 1, 'slipwayd', 'engine'), make(30, 1, 'bash', 'shell')];
}

function containerProcesses(n: number): ProcessFact[] {
  const shim = 100 + 2 * n;
  const shared = { uid: 0, container: containerId(n), state: 'S' };
  const own = {
    mnt: 4026533001 + n * 10,
    pid: 4026533002 + n * 10,
    net: 4026533003 + n * 10,
    ipc: 4026533004 + n * 10,
    uts: 4026533005 + n * 10,
  };
  const namespaces = { ...MACHINE_NS, ...own };
  return [
    {
      ...shared,
      pid: shim,
      ppid: 1,
      startTime: String(9000 + n),
      comm: 'slipway-shim',
      argv: ['slipway-shim'],
      namespaces: MACHINE_NS,
      role: 'shim',
    },
    {
      ...shared,
      pid: shim + 1,
      ppid: shim,
      startTime: String(9000 + n),
      comm: 'sleep',
      argv: ['sleep', '300'],
      innerPid: 1,
      namespaces,
      role: 'init',
      cgroup: `/slipway/${containerId(n)}`,
    },
  ];
}

function cgroup(path: string, id: string | undefined, pids: number): CgroupSample {
  const memoryBytes = pids * 400_000;
  return {
    path,
    version: 'v1',
    ...(id !== undefined && { container: id, memoryLimitBytes: 67_108_864 }),
    memoryBytes,
    pids,
    cpuFraction: 0.01,
    files: { 'memory.usage_in_bytes': String(memoryBytes) },
  };
}

function layers(n: number): Extract<JournalBody, { type: 'layers' }>['layers'] {
  return {
    container: containerId(n),
    snapshotter: 'overlay',
    lower: [{ digest: `sha256:${'ab'.repeat(32)}`, directory: '/var/lib/slipway/snapshots/1/fs', sizeBytes: 2_000_000 }],
    upperDirectory: `/var/lib/slipway/snapshots/${n + 2}/fs`,
    upper: [],
  };
}
