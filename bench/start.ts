/**
 * How soon a container's first instruction runs: the floor, our engine, runc and dockerd in turn.
 *
 * Rounds are interleaved, so that whatever else the machine does hits everybody alike; the first rounds are thrown away. Everything
 * stands on one tmpfs. What a container leaves is removed outside of the measured time, except where a client does it (`--rm`).
 *
 * Knows: what is run in a round, and what we want to see.
 * Does not know: how a peer is set up.
 */
import { monotonicMs } from '@slipway/kernel';
import { DEBIAN_RUNC, type OciRuntime, OUR_RUNC, prepareRuntime } from './bundles.ts';
import { DebianDocker, findDockerClient } from './debian-docker.ts';
import { EngineUnderTest, TRUE_CONTAINER } from './engine-under-test.ts';
import { type ExecWitness, openExecWitness } from './exec-witness.ts';
import { compileFloor, makeFloorCgroup, runFloor } from './floor.ts';
import type { BenchOptions } from './run.ts';
import { compileStartClient, runStartClient } from './start-client.ts';
import { formatTarget, Samples } from './table.ts';
import { timeProgram, Workplace } from './workplace.ts';

const WARM_UP = 5;
/** Containers of ours before the first round: a daemon's code is compiled as it is used, for some thousand containers, and dockerd's was before. */
const ENGINE_WARM_UP = 1000;
/**
 * The engine's client and each floor sleep as long first: long enough for the kernel to forget that processes just changed cgroups, which would
 * be a gift to whoever comes next, and for both to begin from rest, on a processor that has done something else.
 */
const PAUSE_MS = 100;

const FLOOR = 'floor: same namespaces and mounts in C, to the execve';
const FLOOR_WITH_CGROUP = 'floor, in a cgroup of its own';
const TO_EXEC = 'our engine: create + start, to the execve';
const TO_REPLY = 'our engine: create + start, to the reply';
const TO_EXIT = 'our engine: create + start + exit';
const OURS = { runc: 'our bin/runc run', docker: 'docker run --rm, our engine' };
const DEBIAN = { runc: 'Debian’s runc run', docker: 'docker run --rm, Debian’s dockerd' };

/** One thing to measure; adds its samples itself. */
type Turn = (samples: Samples) => Promise<void>;

export async function benchStart({ rounds }: BenchOptions): Promise<void> {
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  compileFloor();
  compileStartClient();
  const place = new Workplace();
  const closers: (() => unknown)[] = [() => place.dispose()];
  try {
    const turns = await prepareTurns(place, closers, say);
    const samples = new Samples();
    for (let round = -WARM_UP; round < rounds; round++) {
      const kept = round < 0 ? new Samples() : samples;
      for (const turn of turns) await turn(kept);
    }
    process.stdout.write(`${samples.format(FLOOR)}\n${judge(samples)}`);
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

async function prepareTurns(place: Workplace, closers: (() => unknown)[], say: (text: string) => void): Promise<Turn[]> {
  const engine = await EngineUnderTest.start(place);
  closers.push(() => engine.stop());
  const witness = await openExecWitness(engine.pid, place.path('trace'), say);
  if (witness !== undefined) closers.push(() => witness.close());
  const bundle = engine.bundleOf(await engine.create());
  for (let count = 0; count < ENGINE_WARM_UP; count++) await engine.runToEnd();
  const procsFiles = makeFloorCgroup(place);
  const floor = { lower: bundle.lower, pauseMs: PAUSE_MS };
  const turns: Turn[] = [
    async (samples) => samples.add(FLOOR, runFloor(place, floor)),
    async (samples) => samples.add(FLOOR_WITH_CGROUP, runFloor(place, { ...floor, procsFiles })),
    engineTurn(engine, witness),
    runcTurn(OURS.runc, prepareRuntime(place, 'ours', OUR_RUNC, bundle)),
  ];
  if (DEBIAN_RUNC === undefined) say('Debian’s runc is left out: it is not installed');
  else turns.push(runcTurn(DEBIAN.runc, prepareRuntime(place, 'debian', DEBIAN_RUNC, bundle)));
  const client = findDockerClient();
  if (client === undefined) say('docker run is left out: there is no docker client');
  else {
    turns.push(dockerTurn(OURS.docker, client, `unix://${engine.socket}`));
    const peer = await DebianDocker.start(place, client, say);
    if (peer !== undefined) {
      closers.push(() => peer.stop());
      turns.push(dockerTurn(DEBIAN.docker, client, peer.host));
    }
  }
  return turns;
}

function engineTurn(engine: EngineUnderTest, witness: ExecWitness | undefined): Turn {
  return async (samples) => {
    const round = { socket: engine.socket, body: JSON.stringify(TRUE_CONTAINER), pauseMs: PAUSE_MS };
    const { id, beganMs: began, repliedMs: replied } = runStartClient(round);
    await engine.call('POST', `/containers/${id}/wait`);
    samples.add(TO_EXEC, ((await witness?.waitForExec('/bin/true', began)) ?? replied) - began);
    samples.add(TO_REPLY, replied - began);
    samples.add(TO_EXIT, await exitedAt(engine, id, began));
    await engine.call('DELETE', `/containers/${id}`);
  };
}

/** By the shim's record of the exit, on the wall clock, which is set against ours here. */
async function exitedAt(engine: EngineUnderTest, id: string, began: number): Promise<number> {
  const { State } = JSON.parse(await engine.call('GET', `/containers/${id}/json`));
  return Date.parse(State.FinishedAt) - (performance.timeOrigin + performance.now()) + monotonicMs() - began;
}

function runcTurn(name: string, runtime: OciRuntime): Turn {
  return async (samples) => samples.add(name, await runtime.run());
}

function dockerTurn(name: string, client: string, host: string): Turn {
  return async (samples) => {
    samples.add(name, await timeProgram(client, ['run', '--rm', '--network', 'none', 'busybox', 'true'], { DOCKER_HOST: host }));
  };
}

function judge(samples: Samples): string {
  const ratio = (above: string, below: string) => {
    const [a, b] = [samples.median(above), samples.median(below)];
    return a === undefined || b === undefined ? undefined : a / b;
  };
  const times = (bound: number) => (value: number) => value >= bound;
  return [
    formatTarget('our engine to the execve, times the floor', ratio(TO_EXEC, FLOOR), 'at most 2', (value) => value <= 2),
    formatTarget('the same, times the floor in a cgroup', ratio(TO_EXEC, FLOOR_WITH_CGROUP), 'for information', () => true),
    formatTarget('Debian’s runc run takes times our engine’s create + start + exit', ratio(DEBIAN.runc, TO_EXIT), 'more than 1', times(1)),
    formatTarget('Debian’s runc run takes times our bin/runc run', ratio(DEBIAN.runc, OURS.runc), 'for information', () => true),
    formatTarget('Debian’s docker run takes times ours', ratio(DEBIAN.docker, OURS.docker), 'at least 5', times(5)),
  ].join('');
}
