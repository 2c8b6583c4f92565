import { expect, test } from 'vitest';
import { loadJournal, saveJournal } from './file.ts';
import { reduce, reduceAll } from './reduce.ts';
import { createReplay, worldAt } from './replay.ts';
import { container, containerId, numbered, scenario } from './testing/scenario.ts';
import type { JournalBody } from './types.ts';
import { emptyWorld, LIMITS } from './world.ts';

const events = scenario({ containers: 3, removed: 1 });
const live = reduceAll(emptyWorld(), events);

test('docker run leaves a container, its processes, its cgroup, its layers and its trace', () => {
  const world = worldAt(events, 2999);
  expect(world.machine).toMatchObject({ machine: 'm1', cgroupMode: 'hybrid' });
  expect(world.containers.map(({ fact }) => [fact.name, fact.status])).toEqual([['web0', 'running']]);
  expect(world.processes.map(({ fact }) => fact.comm)).toEqual(['init', 'slipwayd', 'bash', 'slipway-shim', 'sleep']);
  expect(world.cgroups.map(({ sample }) => sample.path)).toEqual(['/', `/slipway/${containerId(0)}`]);
  expect(world.layers).toHaveLength(1);
  expect(world.traces.map((trace) => trace.spans.length)).toEqual([33]);
  expect(world.traces[0]?.spans.every((span) => span.endMs !== undefined)).toBe(true);
});

test('what appeared says when and because of which command; what was there before anybody looked did not appear', () => {
  const world = worldAt(events, 2999);
  const sleep = world.processes.find(({ fact }) => fact.comm === 'sleep');
  const cause = { kind: 'command', label: 'docker run -d --name web0 busybox sleep 300', atMs: 2000, trace: 't0' };
  expect(sleep).toMatchObject({ appearedAtMs: 2048, appearedBy: cause });
  expect(world.containers[0]).toMatchObject({ appearedAtMs: 2015, appearedBy: cause });
  expect(world.processes.find(({ fact }) => fact.comm === 'bash')).toMatchObject({ appearedAtMs: 0 });
});

test('an ended process lingers, with the reason, and then leaves; a removed container stays known', () => {
  const gone = live.processes.find(({ fact }) => fact.pid === 101);
  expect(gone).toMatchObject({ goneAtMs: 5005, goneBy: { label: 'docker rm -f web0' } });
  expect(live.containers[0]).toMatchObject({ fact: { status: 'removed', exitCode: 137 }, goneAtMs: 5008 });

  const picture: JournalBody = { type: 'processes', processes: [] };
  const later = reduce(live, { ...picture, seq: live.seq + 1, atMs: 5040 + LIMITS.containerLingerMs + 1, origin: 'host' });
  expect(later.processes.filter(({ fact }) => fact.pid === 100 || fact.pid === 101)).toEqual([]);
});

test('an end told just before the command that brought it about is put down to that command', () => {
  const process = { ppid: 1, comm: 'a', argv: [], uid: 0, namespaces: {}, startTime: '1' };
  const exit = (pid: number): JournalBody => ({ type: 'kernel.exit', event: { pid, hostPid: pid, comm: 'a' } });
  const command = (line: string): JournalBody => ({ type: 'command', terminal: 't', line });
  const world = reduceAll(
    emptyWorld(),
    numbered([
      [{ type: 'processes', processes: [1, 2, 3, 4].map((pid) => ({ ...process, pid })) }, 10],
      [command('stop 1'), 1000],
      [exit(1), 1400],
      [exit(2), 2300],
      [exit(3), 2590],
      [command('kill 3'), 2700],
      [exit(4), 2800],
    ]),
  );
  expect(world.processes.map(({ goneBy }) => goneBy?.label)).toEqual(['stop 1', 'stop 1', 'kill 3', 'kill 3']);
});

test('a reused pid is another process', () => {
  const process = { pid: 7, ppid: 1, comm: 'a', argv: [], uid: 0, namespaces: {} };
  const world = reduceAll(
    emptyWorld(),
    numbered([
      [{ type: 'processes', processes: [{ ...process, startTime: '1' }] }, 10],
      [{ type: 'processes', processes: [{ ...process, startTime: '2' }] }, 20],
    ]),
  );
  expect(world.processes.map(({ key, goneAtMs }) => [key, goneAtMs])).toEqual([
    ['7:1', 20],
    ['7:2', undefined],
  ]);
});

test('what an event does not touch stays the same object', () => {
  const next = reduce(live, { type: 'notice', level: 'info', text: 'hello', seq: live.seq + 1, atMs: 9000, origin: 'host' });
  expect(next.containers).toBe(live.containers);
  expect(next.processes).toBe(live.processes);
  expect(next.traces).toBe(live.traces);
  const again = reduce(live, { type: 'container', container: container(1, 'running'), seq: live.seq + 1, atMs: 9000, origin: 'machine' });
  expect(again.containers).toBe(live.containers);
});

test('an event that was taken in before changes nothing', () => {
  expect(reduceAll(live, events)).toBe(live);
});

test('the world at any time is the reduction of a prefix, in whatever order the times are asked for', () => {
  const replay = createReplay(events, 16);
  const times = events.map((event) => event.atMs);
  for (const atMs of [...times.toReversed(), ...times, 0, 1e9]) {
    const count = replay.indexAt(atMs);
    expect(events.slice(0, count).every((event) => event.atMs <= atMs)).toBe(true);
    expect(events[count]?.atMs ?? Number.POSITIVE_INFINITY).toBeGreaterThan(atMs);
    expect(replay.worldAt(atMs)).toEqual(reduceAll(emptyWorld(), events.slice(0, count)));
  }
});

test('a saved journal gives the same world as the live one', async () => {
  const pieces: string[] = [];
  await saveJournal(events, { write: (text) => void pieces.push(text) });
  const file = pieces.join('');
  const cut = Math.floor(file.length / 3);
  const loaded = await loadJournal([Buffer.from(file.slice(0, cut)), Buffer.from(file.slice(cut))]);
  expect(loaded).toEqual({ events, dropped: 0, truncated: false });
  expect(reduceAll(emptyWorld(), loaded.events)).toEqual(live);
});

test('a world of 200 containers takes in 100 000 events quickly and stays bounded', () => {
  const bodies: Array<[JournalBody, number]> = scenario({ containers: 200 }).map((event) => [event, event.atMs]);
  const start = 300_000;
  for (let n = bodies.length; n < 100_000; n++)
    bodies.push([{ type: 'kernel.exec', event: { pid: 30, hostPid: 30, comm: 'sh' } }, start + n]);
  const many = numbered(bodies);
  const began = performance.now();
  const world = reduceAll(emptyWorld(), many);
  const took = performance.now() - began;
  expect(world.containers).toHaveLength(200);
  expect(world.processes).toHaveLength(403);
  expect(world.kernel).toHaveLength(LIMITS.kernel);
  expect(world.traces).toHaveLength(LIMITS.traces);
  expect(took).toBeLessThan(12_000);

  const replay = createReplay(many);
  replay.worldAt(1e9);
  const asked = performance.now();
  for (let i = 0; i < 100; i++) replay.worldAt(((i * 37) % 100) * 3000);
  expect((performance.now() - asked) / 100).toBeLessThan(200);
});

test('what only looked, and a registry’s many requests, drive out one another, not what changed something', () => {
  const span = (at: number, name: string, actor: 'api' | 'registry'): JournalBody => ({
    type: 'span',
    span: { id: `s${at}`, trace: `s${at}`, actor, name, startMs: at, endMs: at },
  });
  const requests = Array.from({ length: LIMITS.traces * 2 }, (_, at) =>
    at % 2 === 0 ? span(at + 1, 'PUT /v2/many/blobs/uploads/x', 'registry') : span(at + 1, 'GET /images/json', 'api'),
  );
  const bodies = [span(0, 'POST /build', 'api'), ...requests, span(9999, 'POST /containers/create', 'api')];
  const { traces, tracesOmitted } = reduceAll(emptyWorld(), numbered(bodies.map((body, at) => [body, at] as const)));
  expect(traces).toHaveLength(LIMITS.traces);
  expect(tracesOmitted).toBe(bodies.length - LIMITS.traces);
  expect([traces.at(0)?.id, traces.at(-2)?.id, traces.at(-1)?.id]).toEqual(['s0', `s${requests.length}`, 's9999']);
});

test('what an engine’s disk holds is the last that it told, with a past; two engines have two', () => {
  const fact = (root: string, freeBytes: number): JournalBody => ({
    type: 'disk',
    disk: {
      root,
      snapshotter: 'overlay',
      totalBytes: 100,
      freeBytes,
      blobBytes: 1,
      layers: [],
      containers: [],
      pendingBytes: 0,
      buildBytes: 0,
    },
  });
  const world = reduceAll(emptyWorld(), numbered([fact('/a', 90), fact('/b', 80), fact('/a', 70)].map((body, at) => [body, at] as const)));
  expect(world.disks.map(({ fact: { root, freeBytes } }) => [root, freeBytes])).toEqual([
    ['/a', 70],
    ['/b', 80],
  ]);
  expect(world.disks[0]?.history.map(({ usedBytes }) => usedBytes)).toEqual([10, 30]);
});

test('an entry of a kind that is not known yet leaves the world as it is', () => {
  const unknown = { type: 'of-a-newer-lab', seq: live.seq + 1, atMs: live.atMs, origin: 'host' } as unknown as Parameters<typeof reduce>[1];
  expect(reduce(live, unknown)).toEqual({ ...live, seq: live.seq + 1 });
});
