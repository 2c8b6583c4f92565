/**
 * The runc command line: ours, Debian's runc and crun in turn on one bundle, each verb from outside.
 *
 * Rounds are interleaved, so that whatever else the machine does hits everybody alike; the first ones are thrown away. What one of
 * them leaves of its cgroups' moves is no gift to the next: everybody comes after a pause.
 *
 * Knows: which verbs are measured, and what we want to see.
 * Does not know: the runtimes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { CRUN, DEBIAN_RUNC, LIFE_VERBS, type OciRuntime, OUR_RUNC, prepareRuntime } from './bundles.ts';
import { EngineUnderTest } from './engine-under-test.ts';
import type { BenchOptions } from './run.ts';
import { formatTable, formatTarget, Samples } from './table.ts';
import { Workplace } from './workplace.ts';

const WARM_UP = 2;
/** Long enough for the kernel to forget that processes just changed cgroups. */
const PAUSE_MS = 100;

const OURS = 'ours';
const RUNC = 'Debian’s runc';
const PEER_CRUN = 'crun';
const VERBS = ['run', ...LIFE_VERBS, 'sum', 'exec'] as const;

export async function benchCli({ rounds }: BenchOptions): Promise<void> {
  const place = new Workplace();
  try {
    const runtimes = await prepareAll(place);
    const samples = new Samples();
    for (let round = -WARM_UP; round < rounds; round++) {
      for (const [name, runtime] of runtimes) await measure(name, runtime, round < 0 ? new Samples() : samples);
    }
    process.stdout.write(`${report(samples, [...runtimes.keys()])}\n${judge(samples)}`);
  } finally {
    place.dispose();
  }
}

/** The engine writes the document and leaves again. */
async function prepareAll(place: Workplace): Promise<ReadonlyMap<string, OciRuntime>> {
  const engine = await EngineUnderTest.start(place);
  const bundle = engine.bundleOf(await engine.create());
  await engine.stop();
  const programs = { [OURS]: OUR_RUNC, [RUNC]: DEBIAN_RUNC, [PEER_CRUN]: CRUN };
  const runtimes = new Map<string, OciRuntime>();
  for (const [index, [name, program]] of Object.entries(programs).entries()) {
    const runtime = program === undefined ? undefined : prepareRuntime(place, `r${index}`, program, bundle);
    const reason = runtime === undefined ? 'it is not installed' : await whyNot(runtime);
    if (runtime !== undefined && reason === undefined) runtimes.set(name, runtime);
    else process.stderr.write(`${name} is left out: ${reason}\n`);
  }
  return runtimes;
}

/** A peer may refuse this host, as crun before 1.9 does where v1 and v2 hierarchies stand side by side. */
async function whyNot(runtime: OciRuntime): Promise<string | undefined> {
  return await runtime.run().then(
    () => undefined,
    (error: unknown) => String(error),
  );
}

async function measure(name: string, runtime: OciRuntime, samples: Samples): Promise<void> {
  await sleep(PAUSE_MS);
  samples.add(`${name} run`, await runtime.run());
  await sleep(PAUSE_MS);
  const life = await runtime.live();
  for (const verb of [...LIFE_VERBS, 'exec'] as const) samples.add(`${name} ${verb}`, life[verb]);
  samples.add(
    `${name} sum`,
    LIFE_VERBS.reduce((sum, verb) => sum + life[verb], 0),
  );
}

function report(samples: Samples, names: readonly string[]): string {
  const cell = (name: string, verb: string) => `${(samples.median(`${name} ${verb}`) ?? Number.NaN).toFixed(1)} ms`;
  const head = ['median', ...names, ...names.slice(1).map((name) => `× ${name}`)];
  const rows = VERBS.map((verb) => [
    verb === 'sum' ? LIFE_VERBS.join(' + ') : verb,
    ...names.map((name) => cell(name, verb)),
    ...names.slice(1).map((name) => (ratio(samples, verb, name) ?? Number.NaN).toFixed(2)),
  ]);
  return formatTable(head, rows);
}

function ratio(samples: Samples, verb: string, peer: string): number | undefined {
  const [ours, theirs] = [samples.median(`${OURS} ${verb}`), samples.median(`${peer} ${verb}`)];
  return ours === undefined || theirs === undefined ? undefined : ours / theirs;
}

function judge(samples: Samples): string {
  const atMost = (bound: number) => (value: number) => value <= bound;
  return [
    formatTarget('run, times Debian’s runc', ratio(samples, 'run', RUNC), 'at most 1.2', atMost(1.2)),
    formatTarget('a life in sum, times Debian’s runc', ratio(samples, 'sum', RUNC), 'at most 0.8', atMost(0.8)),
    formatTarget('exec, times Debian’s runc', ratio(samples, 'exec', RUNC), 'for information', () => true),
    formatTarget('run, times crun', ratio(samples, 'run', PEER_CRUN), 'for information', () => true),
    formatTarget('a life in sum, times crun', ratio(samples, 'sum', PEER_CRUN), 'for information', () => true),
  ].join('');
}
