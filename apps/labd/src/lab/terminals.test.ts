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

test('a program that is over before its terminal is known to be there has ended all the same', async () => {
  const exited: unknown[] = [];
  // The host's answer and its news can come in one piece, and are then heard one after the other before anything else happens.
  const openPtyHost: TerminalsOptions['openPtyHost'] = async (listener) => {
    const host = await standInPtyHost(listener);
    const create: typeof host.create = async (spec) => {
      const terminal = await host.create(spec);
      listener.exited({ ...terminal, exitCode: 127 });
      return terminal;
    };
    return { ...host, create };
  };
  const listener = {
    ...options.listener,
    exited: ({ title, exitCode }: { title: string; exitCode?: number }) => exited.push([title, exitCode]),
  };
  const terminals = new Terminals({ ...options, openPtyHost, listener });
  expect(await terminals.open('m')).toMatchObject({ exitCode: 127 });
  expect(terminals.of('m')).toMatchObject([{ title: 'shell 1', exitCode: 127 }]);
  expect(exited).toEqual([['shell 1', 127]]);
});

test('all of them close although somebody closes one of them meanwhile', async () => {
  const terminals = new Terminals(options);
  for (const _ of [1, 2]) await terminals.open('m');
  const last = terminals.of('m').at(-1)?.id ?? '';
  await Promise.all([terminals.closeAll('m'), terminals.close('m', last)]);
  expect(terminals.of('m')).toEqual([]);
});
