/**
 * A machine that is only told about: `docker` commands change a list, and the journal says so.
 *
 * Knows: what the engine and the observer would write for run, kill, rm, exec touch and exec rm.
 * Does not know: any kernel. It makes the page workable without root; it proves nothing (provenance: simulated).
 */
import type { CgroupSample, ContainerFact, JournalBody, NamespaceInodes, ProcessFact, UpperEntry } from '@slipway/journal';
import { plainSpan, runSpans } from './simulated-spans.ts';

type Emit = (body: JournalBody, atMs: number) => void;

interface Simulated {
  fact: ContainerFact;
  readonly upper: Map<string, UpperEntry>;
}

const MACHINE: NamespaceInodes = {
  user: 4026532177,
  mnt: 4026532178,
  pid: 4026532180,
  net: 4026532182,
  ipc: 4026532179,
  uts: 4026532181,
  cgroup: 4026532183,
};
const GIB = 1024 ** 3;

export class SimulatedMachine {
  readonly #emit: Emit;
  readonly #now: () => number;
  readonly #containers = new Map<string, Simulated>();
  #nextPid = 210;
  #traces = 0;
  #ticks = 0;

  constructor(emit: Emit, now: () => number) {
    this.#emit = emit;
    this.#now = now;
    const at = now();
    emit({ type: 'epoch', wallMs: Date.now(), machine: 'simulated', kernel: 'none', cgroupMode: 'hybrid', engine: 'simulated engine' }, at);
    this.sample();
  }

  /** Answers a `docker` command line as the command would. */
  docker(args: readonly string[], line: string): { readonly output: string; readonly exitCode: number } {
    this.#emit({ type: 'command', terminal: 't1', line }, this.#now());
    const [verb, ...rest] = args;
    const target = this.#containers.get(rest.find((word) => this.#containers.has(word)) ?? '');
    if (verb === 'run') return this.#run(rest, line);
    if (verb === 'ps') return this.#list();
    if (!target) return { output: `no such container: ${rest.at(-1) ?? ''}`, exitCode: 1 };
    if (verb === 'kill' || verb === 'stop') this.#end(target, 137);
    else if (verb === 'rm') this.#remove(target);
    else if (verb === 'exec') this.#exec(target, rest);
    else return { output: `simulated docker does not know "${verb ?? ''}"`, exitCode: 1 };
    return { output: target.fact.name, exitCode: 0 };
  }

  /** What samplers would report now. */
  sample(): void {
    const at = this.#now();
    this.#ticks += 1;
    this.#emit({ type: 'processes', processes: this.#processes() }, at);
    this.#emit({ type: 'cgroups', samples: this.#cgroups() }, at);
  }

  #run(args: readonly string[], line: string) {
    const at = this.#now();
    const named = args[args.indexOf('--name') + 1];
    const name = args.includes('--name') && named !== undefined ? named : `quiet_${this.#nextPid}`;
    if (this.#containers.has(name))
      return { output: `the name "${name}" is in use; remove that container or choose another name`, exitCode: 125 };
    const id = Array.from({ length: 64 }, () => Math.floor(Math.random() * 16).toString(16)).join('');
    const shimPid = this.#nextPid;
    this.#nextPid += 2;
    const fact: ContainerFact = {
      id,
      name,
      image: 'busybox',
      command: ['sleep', '300'],
      status: 'running',
      pid: shimPid + 1,
      shimPid,
      createdAt: new Date().toISOString(),
      api: 'docker',
      memoryLimitBytes: 64 * 1024 ** 2,
      pidsLimit: 64,
      cgroups: {
        memory: `/sys/fs/cgroup/memory/slipway/${id}`,
        pids: `/sys/fs/cgroup/pids/slipway/${id}`,
        cpu: `/sys/fs/cgroup/cpu/slipway/${id}`,
      },
    };
    const simulated: Simulated = { fact, upper: new Map() };
    this.#containers.set(name, simulated);
    this.#traces += 1;
    for (const span of runSpans({ startMs: at, container: id, trace: `t${this.#traces}`, command: line }))
      this.#emit({ type: 'span', span }, at + 46);
    this.#emit({ type: 'kernel.fork', event: { pid: 40, hostPid: 40, comm: 'slipwayd', childPid: shimPid } }, at + 20);
    this.#emit(
      { type: 'kernel.exec', event: { pid: shimPid + 1, hostPid: shimPid + 1, comm: 'sleep', filename: '/bin/sleep', container: id } },
      at + 44,
    );
    this.#emit({ type: 'container', container: fact }, at + 45);
    this.#layers(simulated);
    this.sample();
    return { output: id, exitCode: 0 };
  }

  #list() {
    this.#traces += 1;
    for (const span of plainSpan(`t${this.#traces}`, 'GET /v1.43/containers/json', { startMs: this.#now() }))
      this.#emit({ type: 'span', span }, this.#now());
    const rows = [...this.#containers.values()].map(
      ({ fact }) => `${fact.id.slice(0, 12)}   ${fact.image}   ${fact.status}   ${fact.name}`,
    );
    return { output: ['CONTAINER ID   IMAGE     STATUS    NAMES', ...rows].join('\n'), exitCode: 0 };
  }

  #exec(target: Simulated, args: readonly string[]): void {
    const path = args.at(-1) ?? '/x';
    const verb = args.at(-2);
    if (verb === 'touch') target.upper.set(path, { path, kind: 'file', sizeBytes: 0 });
    if (verb === 'rm') target.upper.set(path, { path, kind: 'whiteout', sizeBytes: 0 });
    const parent = path.split('/').slice(0, -1).join('/');
    if (parent !== '') target.upper.set(parent, { path: parent, kind: 'directory', sizeBytes: 0 });
    this.#layers(target);
  }

  #end(target: Simulated, exitCode: number): void {
    const { pid: _pid, shimPid: _shim, ...rest } = target.fact;
    if (target.fact.pid !== undefined) {
      this.#emit(
        { type: 'kernel.exit', event: { pid: target.fact.pid, hostPid: target.fact.pid, comm: 'sleep', container: target.fact.id } },
        this.#now(),
      );
    }
    target.fact = { ...rest, status: 'exited', exitCode };
    this.#emit({ type: 'container', container: target.fact }, this.#now());
    this.sample();
  }

  #remove(target: Simulated): void {
    this.#end(target, 137);
    this.#containers.delete(target.fact.name);
    this.#emit({ type: 'container', container: { ...target.fact, status: 'removed' } }, this.#now());
  }

  #layers({ fact, upper }: Simulated): void {
    const base = '/var/lib/slipway/snapshots';
    this.#emit(
      {
        type: 'layers',
        layers: {
          container: fact.id,
          snapshotter: 'overlay',
          lower: [
            {
              digest: `sha256:${'4f9c'.repeat(16)}`,
              directory: `${base}/1/fs`,
              sizeBytes: 2_012_160,
              createdBy: 'COPY busybox.static /bin/busybox',
            },
            {
              digest: `sha256:${'b07d'.repeat(16)}`,
              directory: `${base}/2/fs`,
              sizeBytes: 41_984,
              createdBy: 'RUN busybox --install -s /bin',
            },
          ],
          upperDirectory: `${base}/${fact.name}/fs`,
          mountLine: `512 480 0:61 / / rw,relatime - overlay overlay rw,lowerdir=${base}/2/fs:${base}/1/fs,upperdir=${base}/${fact.name}/fs,workdir=${base}/${fact.name}/work`,
          upper: [...upper.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
        },
      },
      this.#now(),
    );
  }

  #processes(): ProcessFact[] {
    const make = (pid: number, ppid: number, argv: readonly string[], more: Partial<ProcessFact> = {}): ProcessFact => ({
      pid,
      ppid,
      startTime: String(5000 + pid),
      comm: (argv[0] ?? '').split('/').at(-1) ?? '',
      argv,
      uid: 0,
      namespaces: MACHINE,
      cgroup: '/',
      state: 'S',
      ...more,
    });
    const inside = [...this.#containers.values()].flatMap(({ fact }) => {
      if (fact.pid === undefined || fact.shimPid === undefined) return [];
      const base = 4026533000 + fact.pid * 6;
      const own: NamespaceInodes = { ...MACHINE, mnt: base, uts: base + 1, ipc: base + 2, pid: base + 3, net: base + 4, cgroup: base + 5 };
      return [
        make(fact.shimPid, 40, ['slipway-shim', fact.id.slice(0, 12)], { container: fact.id, role: 'shim' }),
        make(fact.pid, fact.shimPid, fact.command, {
          container: fact.id,
          role: 'init',
          innerPid: 1,
          namespaces: own,
          cgroup: `/slipway/${fact.id}`,
        }),
      ];
    });
    return [
      make(1, 0, ['/sbin/init']),
      make(40, 1, ['slipwayd', '--root', '/var/lib/slipway'], { role: 'engine' }),
      make(58, 1, ['bash', '-l'], { role: 'shell' }),
      ...inside,
    ];
  }

  #cgroups(): CgroupSample[] {
    const wobble = (step: number) => Math.abs(Math.sin(this.#ticks / step));
    const sample = (path: string, more: Partial<CgroupSample>): CgroupSample => ({ path, version: 'v1', ...more });
    return [
      sample('/', {
        memoryBytes: 84 * 1024 ** 2 + wobble(5) * 6e6,
        memoryLimitBytes: GIB,
        cpuFraction: 0.03 + wobble(7) * 0.1,
        pids: 4 + this.#containers.size * 2,
        pidsLimit: 512,
      }),
      ...[...this.#containers.values()].flatMap(({ fact }, index) => {
        if (fact.pid === undefined) return [];
        const memoryBytes = Math.round(420_000 + wobble(3 + index) * 9e5);
        return [
          sample(`/slipway/${fact.id}`, {
            container: fact.id,
            memoryBytes,
            memoryLimitBytes: 64 * 1024 ** 2,
            memoryPeakBytes: 1_400_000,
            cpuFraction: wobble(2 + index) * 0.02,
            pids: 1,
            pidsLimit: 64,
            files: {
              'memory.usage_in_bytes': String(memoryBytes),
              'memory.limit_in_bytes': '67108864',
              'pids.current': '1',
              'pids.max': '64',
            },
          }),
        ];
      }),
    ];
  }
}
