/**
 * A further process in a running container: our engine's `exec`, from the request to the execve, against the least it takes in C.
 *
 * Knows: the two requests of an exec, and what we want to see.
 * Does not know: how the engine enters a container.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { detectCgroups } from '@slipway/cgroups';
import { findCgroupMemberships, monotonicMs } from '@slipway/kernel';
import { EngineUnderTest } from './engine-under-test.ts';
import { openExecWitness } from './exec-witness.ts';
import { compileExecFloor, runExecFloor } from './floor.ts';
import type { BenchOptions } from './run.ts';
import { formatTarget, Samples } from './table.ts';
import { Workplace } from './workplace.ts';

const WARM_UP = 20;
/** Long enough for the kernel to forget that processes just changed cgroups. */
const PAUSE_MS = 100;

const FLOOR = 'floor: the same namespaces joined in C, to the execve';
const FLOOR_WITH_CGROUPS = 'floor, the container’s cgroups joined too';
const OURS = 'our engine: exec create + start, to the execve';

export async function benchExec({ rounds }: BenchOptions): Promise<void> {
  compileExecFloor();
  const place = new Workplace();
  const closers: (() => unknown)[] = [() => place.dispose()];
  try {
    const engine = await EngineUnderTest.start(place);
    closers.push(() => engine.stop());
    const witness = await openExecWitness(engine.pid, place.path('trace'), (text) => void process.stderr.write(`${text}\n`));
    if (witness === undefined) throw new Error('the moment of an execve inside a container is known by the kernel’s recorder alone');
    closers.push(() => witness.close());
    const body = { Image: 'busybox', Cmd: ['sleep', '1000'], HostConfig: { NetworkMode: 'none' } };
    const { Id: id } = JSON.parse(await engine.call('POST', '/containers/create', body));
    closers.push(() => engine.call('DELETE', `/containers/${id}?force=1`));
    await engine.call('POST', `/containers/${id}/start`);
    const pid = Number(JSON.parse(await engine.call('GET', `/containers/${id}/json`)).State.Pid);
    const procsFiles = detectCgroups({ memberships: findCgroupMemberships(pid) ?? [] }).hierarchies.map(({ own }) => `${own}/cgroup.procs`);
    const samples = new Samples();
    for (let round = -WARM_UP; round < rounds; round++) {
      const kept = round < 0 ? new Samples() : samples;
      await sleep(PAUSE_MS);
      kept.add(FLOOR, runExecFloor(pid));
      await sleep(PAUSE_MS);
      kept.add(FLOOR_WITH_CGROUPS, runExecFloor(pid, procsFiles));
      await sleep(PAUSE_MS);
      const began = monotonicMs();
      const { Id: exec } = JSON.parse(await engine.call('POST', `/containers/${id}/exec`, { Cmd: ['true'] }));
      await engine.call('POST', `/exec/${exec}/start`, { Detach: true });
      kept.add(OURS, (await witness.waitForExec('/bin/true', began)) - began);
    }
    process.stdout.write(`${samples.format(FLOOR)}\n${judge(samples)}`);
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

function judge(samples: Samples): string {
  const ratio = (below: string) => (samples.median(OURS) ?? Number.NaN) / (samples.median(below) ?? Number.NaN);
  return [
    formatTarget('our exec, times the floor with cgroups', ratio(FLOOR_WITH_CGROUPS), 'at most 2', (value) => value <= 2),
    formatTarget('our exec, times the floor without', ratio(FLOOR), 'for information', () => true),
  ].join('');
}
