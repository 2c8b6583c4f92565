/** The workbench agent in a real machine: births stop, are looked at, and leave nothing, whoever goes away when. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BirthView, ServerMessage, WorkbenchAnswer, WorkbenchRequest, WorkbenchVerb } from '@slipway/contracts';
import { createLauncher } from '@slipway/launcher';
import { openMachines } from '@slipway/machine';
import { openTape } from '@slipway/observe';
import { createRuntime } from '@slipway/runtime';
import { hostTest } from '@slipway/testing';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { CHECKOUT } from '../host-parts.ts';
import { silent } from '../testing/stand-in.ts';
import { Workbench, type WorkbenchPage } from './workbench.ts';

const NEEDS = ['linux', 'root', 'overlayfs', 'user-namespaces'] as const;
const CGROUP_PARENT = `slipway-workbench-test-${process.pid}`;
const MACHINE = 'bench';
const IMAGE = 'busybox:latest';
const WHOLE = { operations: [], namespaces: [] };
/** Generous: the machine may be four times slower, and busy. */
const PATIENCE_MS = 30_000;
const TEST_MS = 120_000;

const work = mkdtempSync(join(tmpdir(), 'workbench-'));
const machines = openMachines({
  stateDir: `${work}/s`,
  diskDir: `${work}/disks`,
  idRegistry: `${work}/ids`,
  templateDisk: `${CHECKOUT}/.slipway/machine-disk.img`,
  usr: `${CHECKOUT}/.slipway/tools/usr`,
  engine: CHECKOUT,
  cgroupParent: CGROUP_PARENT,
  limits: { memoryBytes: 512 * 1024 * 1024, cpus: 2, pids: 300 },
  runtime: createRuntime({ root: `${work}/s/runtime`, launcher: createLauncher() }),
  execCommand: { file: `${CHECKOUT}/bin/runc`, args: [] },
});

let bench: Workbench;
let config: string;

beforeAll(async () => {
  if (process.getuid?.() !== 0) return;
  await machines.ensure(MACHINE);
  bench = newBench();
  // The engine inside takes a moment to listen, and to have its images.
  const page = new TestBenchPage();
  await eventually(() => page.ask({ do: 'images' }).then(({ images }) => images.join(), String), IMAGE);
  ({ config } = await page.ask({ do: 'spec', image: IMAGE }));
  page.leave();
}, TEST_MS);

afterEach(async () => {
  await eventually(leftovers, '');
}, TEST_MS);

afterAll(async () => {
  await bench?.end();
  await machines.removeAll();
  for (const hierarchy of readdirSync('/sys/fs/cgroup')) {
    const own = `/sys/fs/cgroup/${hierarchy}/${CGROUP_PARENT}`;
    if (existsSync(own)) execFileSync('rmdir', [own]);
  }
  rmSync(work, { recursive: true, force: true });
}, TEST_MS);

function newBench(): Workbench {
  const terminals = { open: () => Promise.reject(new Error('no terminal in this test')) };
  const observer = { record: (hostPid: number) => openTape(`${work}/trace`, hostPid) };
  return new Workbench({ machine: MACHINE, machines, terminals, observer, log: silent });
}

/** Looks again until it is so, or says what it is instead. */
async function eventually(look: () => Promise<string>, wanted: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  let seen = await look();
  while (seen !== wanted && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    seen = await look();
  }
  expect(seen).toBe(wanted);
}

class TestBenchPage {
  readonly events: BirthView[] = [];
  readonly #answers = new Map<number, ServerMessage>();
  readonly #page: WorkbenchPage;
  #last = 0;

  constructor() {
    this.#page = bench.join((message) => {
      if (message.type === 'workbench.answer') this.#answers.set(message.id, message);
      if (message.type === 'workbench.event') this.events.push(message.event);
    });
  }

  async ask<Verb extends WorkbenchVerb>(request: Extract<WorkbenchRequest, { readonly do: Verb }>): Promise<WorkbenchAnswer<Verb>> {
    this.#last += 1;
    const id = this.#last;
    await this.#page.ask(id, request);
    const answer = this.#answers.get(id);
    if (answer?.type === 'workbench.answer' && 'result' in answer) return answer.result as WorkbenchAnswer<Verb>;
    throw new Error(answer?.type === 'workbench.answer' && 'failure' in answer ? answer.failure.code : 'no answer');
  }

  birth(until?: number, without: typeof WHOLE | { operations: number[]; namespaces: ['pid'] } = WHOLE): Promise<BirthView> {
    return this.ask({ do: 'birth', birth: 'b', image: IMAGE, config, breakpoints: [], without, ...(until === undefined ? {} : { until }) });
  }

  leave(): void {
    this.#page.leave();
  }
}

/** What a birth could leave in the machine, in words; empty when there is nothing. */
async function leftovers(): Promise<string> {
  const script = `
    ls /run/slipway/workbench/bundles /run/slipway/workbench/runtime /run/slipway/workbench/runc 2>/dev/null | grep -v ':$' | grep .
    find /sys/fs/cgroup -maxdepth 2 -type d \\( -name 'birth-*' -o -name 'leak-*' -o -name 'run-*' -o -name 'peer-*' \\)
    grep ' /run/slipway/workbench' /proc/self/mountinfo
    for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null | grep -E '^(slipway-shim|slipway-launcher).*workbench'; done
    true`;
  const { stdout } = await machines.run(MACHINE, ['/bin/bash', '-c', script]);
  return stdout.trim();
}

async function planned(page: TestBenchPage) {
  const { operations, issues } = await page.ask({ do: 'plan', config });
  expect(issues).toEqual([]);
  return operations;
}

hostTest(
  'a birth stops before pivotRoot with the machine’s files in sight, and after it without',
  NEEDS,
  async () => {
    const page = new TestBenchPage();
    const pivot = (await planned(page)).findIndex(({ op }) => op === 'pivotRoot');
    const before = await page.birth(pivot);
    expect(before).toMatchObject({ status: 'stopped', at: pivot });
    expect(before.outcomes).toHaveLength(pivot);
    expect(before.process?.rootEntries).toContain('var/');
    expect(before.process?.namespaces.filter(({ own }) => own).map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['mount', 'pid', 'network', 'ipc', 'uts']),
    );
    const after = await page.ask({ do: 'go', birth: 'b', how: 'step', breakpoints: [] });
    expect(after).toMatchObject({ status: 'stopped', at: pivot + 1 });
    expect(after.process?.mounts.length).toBeLessThan(before.process?.mounts.length ?? 0);
    expect(after.process?.mounts.find(({ mountPoint }) => mountPoint === '/proc')?.fsType).toBe('proc');
    expect(after.operations[pivot]?.performedAt).toMatch(/native\/.*\.c:\d+$/);
    expect(after.operations[pivot]?.plannedAt).toEqual([expect.stringMatching(/plan\/root\.ts:\d+$/)]);
    const created = await page.ask({ do: 'go', birth: 'b', how: 'continue', breakpoints: [] });
    expect(created).toMatchObject({ status: 'created', process: { hostname: 'workbench' } });
    const ended = await page.ask({ do: 'go', birth: 'b', how: 'start', breakpoints: [] });
    expect(ended).toMatchObject({ status: 'ended', exitCode: 0 });
    await page.ask({ do: 'delete', birth: 'b' });
    page.leave();
  },
  TEST_MS,
);

hostTest(
  'a page that goes away, in whichever phase, takes its half-born container with it',
  NEEDS,
  async () => {
    const operations = await planned(new TestBenchPage());
    const firsts = [...new Map(operations.toReversed().map(({ phase, index }) => [phase, index])).values()];
    expect(firsts.length).toBeGreaterThanOrEqual(8);
    for (const index of [...firsts, undefined]) {
      const page = new TestBenchPage();
      const { status, at } = await page.birth(index);
      expect([status, at]).toEqual(index === undefined ? ['created', undefined] : ['stopped', index]);
      expect(await leftovers()).not.toBe('');
      page.leave();
      await eventually(leftovers, '');
    }
  },
  TEST_MS * 2,
);

hostTest(
  'the agent’s input ends in the middle, or the agent is killed: nothing is left then, or after the next one’s first birth',
  NEEDS,
  async () => {
    const page = new TestBenchPage();
    const pivot = (await planned(page)).findIndex(({ op }) => op === 'pivotRoot');
    await page.birth(pivot);
    await bench.end();
    expect(await leftovers()).toBe('');

    bench = newBench();
    const killed = new TestBenchPage();
    await killed.birth();
    await machines.run(MACHINE, ['/usr/bin/pkill', '-9', '-f', 'start.cjs slipway workbench']);
    await eventually(() => killed.ask({ do: 'inspect', birth: 'b' }).then(String, (error: Error) => error.message), 'E_WORKBENCH_BIRTH');
    const next = new TestBenchPage();
    await next.birth(pivot);
    await next.ask({ do: 'delete', birth: 'b' });
  },
  TEST_MS,
);

hostTest(
  'a birth that nobody asks anything of is undone, and its page is told',
  NEEDS,
  async () => {
    const script = `
      import { Agent } from '/usr/lib/slipway/apps/cli/src/workbench/agent.ts';
      const heard = Promise.withResolvers();
      const agent = new Agent((text) => { const line = JSON.parse(text); if (line.event) { console.log(line.event.status); heard.resolve(); } }, { idleMs: 300 });
      const request = { do: 'birth', birth: 'b', image: '${IMAGE}', config: process.argv[1], breakpoints: [], until: 20, without: { operations: [], namespaces: [] } };
      await agent.serve((async function* () { yield Buffer.from(JSON.stringify({ id: 1, page: 1, request }) + '\\n'); await heard.promise; })());`;
    const node = ['/usr/lib/slipway/node_modules/.bin/node', '--input-type=module', '-e', script, config];
    const { stdout, stderr } = await machines.run(MACHINE, ['/usr/bin/unshare', '--mount', ...node]);
    expect(stdout, stderr).toBe('undone\n');
  },
  TEST_MS,
);

hostTest(
  'without the pid namespace the machine’s processes are in sight; without pivotRoot its files are; neither with all of it',
  NEEDS,
  async () => {
    const page = new TestBenchPage();
    const pivot = (await planned(page)).findIndex(({ op }) => op === 'pivotRoot');
    const leaks = async (without: { operations: number[]; namespaces: ('pid' | 'uts')[] }) =>
      (await page.ask({ do: 'leaks', image: IMAGE, config, without })).probes
        .filter((probe) => probe.leaks)
        .map(({ id, whole, without: seen }) => [id, whole, seen]);
    expect(await leaks({ operations: [], namespaces: [] })).toEqual([]);
    expect(await leaks({ operations: [], namespaces: ['pid'] })).toEqual(expect.arrayContaining([['engine', 'no', 'yes']]));
    expect(await leaks({ operations: [pivot], namespaces: [] })).toEqual(expect.arrayContaining([['root', 'no', 'yes']]));
    expect(await leaks({ operations: [], namespaces: ['uts'] })).toEqual(expect.arrayContaining([['hostname', 'workbench', 'lab']]));
    page.leave();
  },
  TEST_MS,
);

hostTest(
  'ours and runc run the same document, and the kernel shows every field of it',
  NEEDS,
  async () => {
    const page = new TestBenchPage();
    const document = JSON.parse(config);
    document.process.args = ['sh', '-c', 'hostname; exit 7'];
    document.linux.resources = { memory: { limit: 67_108_864 }, pids: { limit: 20 } };
    for (const runtime of ['ours', 'runc'] as const) {
      const run = await page.ask({ do: 'run', image: IMAGE, config: JSON.stringify(document), runtime, timeoutMs: 20_000 });
      expect(run).toMatchObject({ exitCode: 7, stdout: 'workbench\n', timedOut: false });
      const fields = new Map(run.evidence.map((evidence) => [evidence.pointer, evidence]));
      for (const pointer of [
        '/hostname',
        '/linux/namespaces/0',
        '/mounts/0',
        '/linux/resources/memory/limit',
        '/linux/resources/pids/limit',
        '/process/capabilities/bounding',
        '/process/user/uid',
        '/process/cwd',
        '/root/readonly',
      ]) {
        expect(fields.get(pointer), `${runtime} ${pointer}`).toMatchObject({ holds: true });
      }
    }
    // Debian's crun refuses hybrid cgroup layouts; then it is quoted, and nothing is claimed of a container that never was.
    const crun = await page.ask({ do: 'run', image: IMAGE, config: JSON.stringify(document), runtime: 'crun', timeoutMs: 20_000 });
    expect(crun.version).toMatch(/^crun version /);
    if (crun.failure === undefined) expect(crun).toMatchObject({ exitCode: 7, stdout: 'workbench\n' });
    else expect(crun).toMatchObject({ failure: { code: 'E_WORKBENCH_RUN', message: expect.stringMatching(/\S/) }, evidence: [] });
    page.leave();
  },
  TEST_MS,
);

hostTest(
  'runc’s birth is recorded by the host, from its program to the container’s, and nothing of it stays',
  [...NEEDS, 'tracefs'],
  async () => {
    const page = new TestBenchPage();
    const { program, version, process, calls, truncated, failure } = await page.ask({ do: 'peer', image: IMAGE, config });
    expect({ program, failure, truncated }).toEqual({ program: '/usr/bin/runc', failure: undefined, truncated: false });
    expect(version).toMatch(/^runc version /);
    expect(calls[0]).toMatchObject({ process: 0, syscall: 'execve', args: { filename: '/usr/bin/runc' } });
    const pivots = calls.filter(({ syscall }) => syscall === 'pivot_root');
    expect(pivots).toEqual([expect.objectContaining({ result: 0, tookMs: expect.any(Number) })]);
    const init = pivots[0]?.process;
    expect(calls.filter((call) => call.process === init && call.syscall === 'execve').at(-1)?.args['filename']).toBe('/bin/sh');
    expect(process?.mounts.map(({ mountPoint }) => mountPoint).slice(0, 3)).toEqual(['/', '/proc', '/dev']);
    expect(process?.hostname).toBe('workbench');
    page.leave();
  },
  TEST_MS,
);
