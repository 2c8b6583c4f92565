import { afterAll, expect, test } from 'vitest';
import { silent, standInMachines, standInPtyHost, temporaryDirectory } from '../testing/stand-in.ts';
import { Terminals } from './terminals.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

test('terminals that are opened all at once are as many as may be, with numbers of their own', async () => {
  const quiet = () => undefined;
  const terminals = new Terminals({
    machines: standInMachines(directory.path),
    openPtyHost: standInPtyHost,
    perMachine: 2,
    log: silent,
    listener: { opened: quiet, exited: quiet, commanded: quiet, changed: quiet },
  });
  const asked = await Promise.allSettled([1, 2, 3, 4].map(() => terminals.open('m')));
  expect(asked.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
  expect(terminals.of('m').map(({ title }) => title)).toEqual(['shell 1', 'shell 2']);
  // What was refused has reserved nothing.
  await terminals.close('m', terminals.of('m')[0]?.id ?? '');
  expect((await terminals.open('m')).title).toBe('shell 1');
});
