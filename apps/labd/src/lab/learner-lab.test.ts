import { mkdirSync } from 'node:fs';
import { isServed } from '@slipway/kernel';
import { afterAll, expect, test } from 'vitest';
import type { HostObserver } from '../ports.ts';
import { Store } from '../store.ts';
import { FACTS, LIMITS, silent, standInMachines, standInObserver, standInPtyHost, temporaryDirectory } from '../testing/stand-in.ts';
import { LearnerLab } from './learner-lab.ts';
import { Terminals } from './terminals.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

const quiet = () => undefined;

test('a machine that cannot be watched is not usable, and its engine’s socket is not left open; a reset makes one that can', async () => {
  const machines = standInMachines(directory.path);
  const good = standInObserver();
  let watched = 0;
  const observer: HostObserver = {
    ...good,
    watch: (...args) => {
      if (++watched === 1) throw new Error('its pid 1 has just ended');
      return good.watch(...args);
    },
  };
  const listener = { opened: quiet, exited: quiet, commanded: quiet, changed: quiet };
  const terminals = new Terminals({ machines, openPtyHost: standInPtyHost, perMachine: 2, log: silent, listener });
  const journalDir = `${directory.path}/journals`;
  mkdirSync(journalDir);
  const store = new Store(':memory:');
  const lab = await LearnerLab.open({
    machine: 'm',
    machines,
    observer,
    terminals,
    store,
    journalDir,
    host: FACTS,
    limits: LIMITS,
    log: silent,
  });
  const socket = `${directory.path}/machines/m/lab/journal.sock`;
  await lab.settled();
  expect(lab.status.state).toBe('failed');
  expect(await isServed(socket)).toBe(false);
  expect((await lab.reset()).state).toBe('ready');
  expect(await isServed(socket)).toBe(true);
  await lab.close();
  expect(await isServed(socket)).toBe(false);
  store.close();
});
