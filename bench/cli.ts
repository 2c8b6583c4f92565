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
import { LIFE_VERBS, type OciRuntime } from './bundles.ts';
import type { BenchOptions } from './run.ts';
import { CRUN, hideUnifiedHierarchy, OURS, prepareRuntimes, RUNC } from './runtimes.ts';
import { formatTable, formatTarget, Samples } from './table.ts';
import { Workplace } from './workplace.ts';

const WARM_UP = 2;
/** Long enough for the kernel to forget that processes just changed cgroups. */
const PAUSE_MS = 100;

const VERBS = ['run', ...LIFE_VERBS, 'sum', 'exec'] as const;

export async function benchCli({ rounds }: BenchOptions): Promise<void> {
  hideUnifiedHierarchy();
  const place = new Workplace();
  try {
    const runtimes = await prepareRuntimes(place);
    const samples = new Samples();
    for (let round = -WARM_UP; round < rounds; round++) {
      for (const [name, runtime] of runtimes) await measure(name, runtime, round < 0 ? new Samples() : samples);
    }
    process.stdout.write(`${report(samples, [...runtimes.keys()])}\n${judge(samples)}`);
  } finally {
    place.dispose();
  }
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
    formatTarget('run, times crun', ratio(samples, 'run', CRUN), 'for information', () => true),
    formatTarget('a life in sum, times crun', ratio(samples, 'sum', CRUN), 'for information', () => true),
  ].join('');
}
