/**
 * What step mode costs a birth that nobody steps through: the launcher as it is, one built without any stop, and a copy of the first,
 * in turn. How far the copy is from the first is what this machine can tell apart at all.
 *
 * Knows: the three programs. Does not know: what step mode is for (apps/cli/src/workbench).
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLauncher } from '@slipway/launcher';
import { buildNative, makeRig, shimOptions, standardPlan } from '../packages/launcher/src/testing/rig.ts';
import type { BenchOptions } from './run.ts';
import { Samples } from './table.ts';
import { CHECKOUT } from './workplace.ts';

const WARM_UP = 20;
/** Differences are small beside what a launch takes; so there are many. */
const LAUNCHES_A_ROUND = 10;

const AS_IT_IS = 'launch, step mode off';
const WITHOUT = 'launch by a program that has no step mode';
const COPY = 'the first once more';

export async function benchStepMode({ rounds }: BenchOptions): Promise<void> {
  const binary = buildNative();
  execFileSync('make', ['-s', '-C', `${CHECKOUT}/packages/launcher/native`, 'without-stops']);
  using rig = makeRig();
  const copy = join(rig.dir, 'copy');
  copyFileSync(binary, copy);
  const programs = { [AS_IT_IS]: binary, [WITHOUT]: `${binary}-without-stops`, [COPY]: copy };
  const launchers = Object.entries(programs).map(([name, path]) => [name, createLauncher({ binary: path })] as const);
  const plan = standardPlan({ rootfs: rig.rootfs, args: ['true'] });
  const samples = new Samples();
  for (let round = -WARM_UP; round < rounds * LAUNCHES_A_ROUND; round++) {
    for (const [name, launcher] of launchers) {
      const options = shimOptions(rig.shimDir());
      const began = performance.now();
      await launcher.launch(plan, options);
      if (round >= 0) samples.add(name, performance.now() - began);
    }
  }
  process.stdout.write(`${samples.format(AS_IT_IS)}\n`);
  const ratio = (name: string) => (samples.median(AS_IT_IS) ?? Number.NaN) / (samples.median(name) ?? Number.NaN);
  process.stdout.write(
    `  step mode off takes ${ratio(WITHOUT).toFixed(3)} of a launch that cannot stop; a copy of itself ${ratio(COPY).toFixed(3)}\n`,
  );
}
