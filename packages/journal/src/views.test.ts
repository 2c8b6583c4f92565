import { expect, test } from 'vitest';
import { reduceAll } from './reduce.ts';
import { worldAt } from './replay.ts';
import { containerId, numbered, scenario } from './testing/scenario.ts';
import type { JournalBody, LayersFact, ProcessFact } from './types.ts';
import { callChain, traces } from './view-calls.ts';
import { namespaceSets, processRows, processTree } from './view-processes.ts';
import { cgroupRows, layerStacks } from './view-resources.ts';
import { timelineMarks } from './view-timeline.ts';
import { emptyWorld, LIMITS } from './world.ts';

const events = scenario({ containers: 2 });
const world = worldAt(events, 3999);

test('the process tree nests by parent and names containers', () => {
  const rows = processRows(processTree(world)).map((row) => [row.depth, row.fact.comm, row.containerName]);
  expect(rows).toEqual([
    [0, 'init', undefined],
    [1, 'slipwayd', undefined],
    [1, 'bash', undefined],
    [1, 'slipway-shim', 'web0'],
    [2, 'sleep', 'web0'],
    [1, 'slipway-shim', 'web1'],
    [2, 'sleep', 'web1'],
  ]);
});

test('only what came in the last seconds is marked, with its cause', () => {
  const marks = processRows(processTree(world, 3048 + 800)).flatMap((row) =>
    row.mark ? [[row.fact.comm, row.containerName, row.mark.agoMs]] : [],
  );
  expect(marks).toContainEqual(['sleep', 'web1', 800]);
  expect(marks).not.toContainEqual(expect.arrayContaining(['init']));
  expect(processRows(processTree(world, 60_000)).every((row) => row.mark === undefined)).toBe(true);
});

test('what ended leaves the pictures after a while, even when no later event says so', () => {
  const ended = reduceAll(emptyWorld(), scenario({ containers: 1, removed: 1 }));
  const shown = (atMs: number) => processRows(processTree(ended, atMs)).map((row) => row.fact.comm);
  expect(shown(ended.atMs)).toContain('sleep');
  expect(shown(ended.atMs + LIMITS.lingerMs + 1)).toContain('sleep');
  expect(shown(ended.atMs + LIMITS.containerLingerMs + 1)).toEqual(['init', 'slipwayd', 'bash']);
  const removed = reduceAll(ended, [{ type: 'cgroups', samples: [], seq: ended.seq + 1, atMs: ended.atMs + 1, origin: 'host' }]);
  expect(cgroupRows(removed)).toHaveLength(2);
  expect(cgroupRows(removed, removed.atMs + LIMITS.containerLingerMs + 1)).toEqual([]);
});

test('a forged picture with parents in a circle still shows every process once', () => {
  const fact = (pid: number, ppid: number): ProcessFact => ({ pid, ppid, startTime: '1', comm: 'x', argv: [], uid: 0, namespaces: {} });
  const forged = reduceAll(
    emptyWorld(),
    numbered([[{ type: 'processes', processes: [fact(2, 3), fact(3, 2), fact(4, 4), fact(5, 3)] }, 1]]),
  );
  const pids = processRows(processTree(forged)).map((row) => row.fact.pid);
  expect(pids.toSorted((a, b) => a - b)).toEqual([2, 3, 4, 5]);
});

test('namespaces say whose they are and who shares them', () => {
  const sets = namespaceSets(world);
  const user = sets.find((set) => set.kind === 'user');
  expect(user).toMatchObject({ owner: 'machine', shared: true, containers: [containerId(0), containerId(1)] });
  expect(sets.filter((set) => set.kind === 'net')).toMatchObject([
    { owner: 'machine', inode: 4026532103 },
    { owner: 'container', inode: 4026533003, shared: false, containers: [containerId(0)], members: ['101:9000'] },
    { owner: 'container', inode: 4026533013, containers: [containerId(1)] },
  ]);
});

test('cgroup rows stand below their parents, with history and share of the limit', () => {
  const rows = cgroupRows(world);
  expect(rows.map((row) => [row.name, row.depth, row.containerName])).toEqual([
    ['/', 0, undefined],
    [containerId(0), 2, 'web0'],
    [containerId(1), 2, 'web1'],
  ]);
  expect(rows[1]?.history.map((point) => point.atMs)).toEqual([2060, 3060]);
  expect(rows[1]?.memoryShare).toBeCloseTo(400_000 / 67_108_864);
});

test('containers’ cgroups stand by name, the tenth after the ninth', () => {
  const names = cgroupRows(reduceAll(emptyWorld(), scenario({ containers: 12 }))).flatMap((row) => row.containerName ?? []);
  expect(names).toEqual(Array.from({ length: 12 }, (_, index) => `web${index}`));
});

test('only a notice of an error alarms: a warning of every healthy birth does not', () => {
  const notices = numbered([
    [{ type: 'notice', level: 'warning', text: 'left out' }, 1],
    [{ type: 'notice', level: 'error', text: 'broken' }, 2],
  ]);
  expect(timelineMarks(notices).map(({ label, alarming }) => [label, alarming])).toEqual([
    ['left out', false],
    ['broken', true],
  ]);
});

test('layers tell who shares them, and what just changed on top', () => {
  const fact = world.layers[0]?.fact as LayersFact;
  const touched: JournalBody = {
    type: 'layers',
    layers: {
      ...fact,
      upper: [
        { path: '/etc/motd', kind: 'whiteout', sizeBytes: 0 },
        { path: '/new', kind: 'file', sizeBytes: 5 },
      ],
    },
  };
  const deleted: JournalBody = { type: 'layers', layers: { ...fact, upper: [{ path: '/etc/motd', kind: 'whiteout', sizeBytes: 0 }] } };
  const seq = world.seq;
  const after = reduceAll(world, [
    { ...touched, seq: seq + 1, atMs: 4000, origin: 'machine' },
    { ...deleted, seq: seq + 2, atMs: 4500, origin: 'machine' },
  ]);
  const [first] = layerStacks(after);
  expect(first).toMatchObject({
    containerName: 'web0',
    whiteouts: 1,
    upper: [{ path: '/etc/motd', mark: { change: 'appeared', agoMs: 500 } }],
    removed: [{ path: '/new', mark: { change: 'gone', agoMs: 0 } }],
  });
  expect(first?.lower[0]?.sharedWith).toEqual([containerId(1)]);
});

test('a call chain has rows by depth, self times that add up, and messages between actors', () => {
  const chain = callChain(world, 't0');
  expect(chain).toMatchObject({ durationMs: 7, depth: 4, actors: ['api', 'engine', 'launcher', 'kernel'], omitted: 0 });
  expect(chain?.rows.slice(0, 4).map((row) => [row.depth, row.span.name, row.offsetMs])).toEqual([
    [0, 'POST /containers/create', 0],
    [1, 'create', 1],
    [2, 'launch', 2],
    [3, 'mount /proc', 2],
  ]);
  expect(chain?.rows.reduce((sum, row) => sum + row.selfMs, 0)).toBeCloseTo(7);
  expect(chain?.messages.slice(0, 2).map((message) => [message.kind, message.from, message.to])).toEqual([
    ['call', 'api', 'engine'],
    ['call', 'engine', 'launcher'],
  ]);
  expect(chain?.messages.at(-1)).toMatchObject({ kind: 'return', from: 'engine', to: 'api', offsetMs: 6 });
  expect(callChain(world, 'nothing')).toBeUndefined();
});

test('a span that has not ended lasts until now', () => {
  const open = worldAt(events, 2011);
  expect(callChain(open, 't0', 2020)?.rows.map((row) => [row.open, row.durationMs])).toEqual([
    [true, 10],
    [true, 9],
  ]);
  expect(traces(open)[0]).not.toHaveProperty('durationMs');
});

test('requests are listed newest first', () => {
  expect(traces(world).map((trace) => [trace.id, trace.containerName, trace.operations, trace.durationMs])).toEqual([
    ['t1', 'web1', 30, 7],
    ['t0', 'web0', 30, 7],
  ]);
});

test('the timeline has one mark per request, and merges what falls together', () => {
  const marks = timelineMarks(events);
  expect(marks.filter((mark) => mark.lane === 'calls')).toMatchObject([
    { trace: 't0', atMs: 2010, endMs: 2017, count: 1 },
    { trace: 't1', atMs: 3010, endMs: 3017 },
  ]);
  const execs = numbered(Array.from({ length: 5000 }, (_, n) => [{ type: 'kernel.exec', event: { pid: 1, hostPid: 1, comm: 'a' } }, n]));
  const thinned = timelineMarks(execs, { perLane: 100 });
  expect(thinned.length).toBeLessThanOrEqual(100);
  expect(thinned.reduce((sum, mark) => sum + mark.count, 0)).toBe(5000);
});
