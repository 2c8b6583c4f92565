import type { PtyHostListener } from '@slipway/terminal';
import { afterAll, expect, test } from 'vitest';

import { silent, standInMachines, standInPtyHost, temporaryDirectory } from '../testing/stand-in.ts';
import { Terminals, type TerminalsOptions } from './terminals.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

const quiet = () => undefined;
const options: TerminalsOptions = {
  machines: standInMachines(directory.path),
  openPtyHost: standInPtyHost,
  perMachine: 2,
  log: silent,
  listener: { opened: quiet, exited: quiet, commanded: quiet, changed: quiet },
};

test('terminals that are opened all at once are as many as may be, with numbers of their own', async () => {
  const terminals = new Terminals(options);
  const asked = await Promise.allSettled([1, 2, 3, 4].map(() => terminals.open('m')));
  expect(asked.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
  expect(terminals.of('m').map(({ title }) => title)).toEqual(['shell 1', 'shell 2']);
  // What was refused has reserved nothing.
  await terminals.close('m', terminals.of('m')[0]?.id ?? '');
  expect((await terminals.open('m')).title).toBe('shell 1');
});

test('of each kind of terminal one that has ended stays, the latest', async () => {
  let tell: PtyHostListener | undefined;
  const openPtyHost: TerminalsOptions['openPtyHost'] = (listener) => {
    tell = listener;
    return standInPtyHost(listener);
  };
  const terminals = new Terminals({ ...options, openPtyHost, perMachine: 9 });
  const run = { title: 'run', argv: ['/bin/true'] };
  for (const program of [undefined, run, run, run]) await terminals.open('m', program);
  const titles = () => terminals.of('m').map(({ title }) => title);
  const [shell, first, second] = terminals.of('m');
  if (!shell || !first || !second) throw new Error('they are not there');

  for (const ended of [shell, first]) tell?.exited({ ...ended, exitCode: 0 });
  expect(titles()).toEqual(['shell 1', 'run 2', 'run 3', 'run 4']);
  tell?.exited({ ...second, exitCode: 0 });
  await expect.poll(titles).toEqual(['shell 1', 'run 3', 'run 4']);
});
