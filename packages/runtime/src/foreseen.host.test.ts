/** Births that were foreseen, by the very plan that is launched. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { detectCgroups, openCgroup } from '@slipway/cgroups';
import { createLauncher, type Launcher, type Plan } from '@slipway/launcher';
import { hostTest } from '@slipway/testing';
import { expect } from 'vitest';
import { readSpec } from './create.ts';
import { HostContainers } from './testing/host-containers.ts';

hostTest('a run launches the plan that was foreseen for it, with and without what is kept ready', ['root'], async () => {
  const parent = `foreseen-test-${process.pid}`;
  const plans: { foreseen?: Plan; launched?: Plan } = {};
  const own = createLauncher();
  const launcher: Launcher = {
    ...own,
    foresee: (plan) => {
      plans.foreseen = plan;
      own.foresee(plan);
    },
    launch: (plan, options) => {
      plans.launched = plan;
      return own.launch(plan, options);
    },
  };
  const containers = new HostContainers({ keepReady: 'process', cgroupParent: parent, launcher });
  const { runtime } = containers;
  try {
    for (const [foreseen, asked] of [
      ['run', 'run'],
      ['create', 'create'],
      ['run', 'create'],
    ] as const) {
      const id = containers.newId();
      const dir = join(containers.dir, `shim-${id}`);
      mkdirSync(dir, { mode: 0o700 });
      const bundle = containers.bundle({});
      const supervision = { mode: 'shim', dir, terminal: false, openStdin: false, stdinOnce: false, logMaxBytes: 1 << 20 } as const;
      const request = { id, bundle, spec: await readSpec(bundle), supervision };
      await runtime.foresee(foreseen, request);
      await runtime[asked](request);
      expect(plans.launched === plans.foreseen, `${foreseen} foreseen, ${asked} asked`).toBe(foreseen === asked);
      await runtime.delete(id, { force: true });
    }
  } finally {
    await runtime.close();
    await containers.dispose();
    await openCgroup(detectCgroups(), { id: '', cgroupsPath: parent }).remove();
  }
});
