/** What is left of a lab that did not come up, or whose parts fail at its end. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startLab } from './lab-daemon.ts';
import {
  FACTS,
  silent,
  standInConfig,
  standInMachines,
  standInObserver,
  standInPtyHost,
  temporaryDirectory,
  writePage,
} from './testing/stand-in.ts';

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => directory.remove());

/** A lab over stand-ins; `done` tells in which order they were let go. */
function prepare() {
  const done: string[] = [];
  const { path } = directory;
  const config = standInConfig(path);
  const machines = standInMachines(path);
  const observer = standInObserver();
  const parts = {
    machines: { ...machines, removeAll: () => machines.removeAll().then(() => void done.push('machines')) },
    observer: { ...observer, close: async () => void done.push('observer') },
    openPtyHost: standInPtyHost,
    facts: FACTS,
    webDir: writePage(path),
    contentDir: `${path}/content`,
    labsDir: `${path}/labs`,
    watchLessons: false,
    log: silent,
  };
  return { config, parts, done };
}

test('a lab whose database cannot be read lets go of what it had begun with', async () => {
  const { config, parts, done } = prepare();
  mkdirSync(config.dataDir);
  writeFileSync(`${config.dataDir}/lab.sqlite`, 'no database at all, but longer than its header would be: '.repeat(20));
  await expect(startLab(config, parts)).rejects.toMatchObject({ code: 'ERR_SQLITE_ERROR' });
  expect(done).toEqual(['observer']);
  expect(existsSync(config.runDir)).toBe(false);
});

test('what fails at the end keeps nothing else from being removed', async () => {
  const { config, parts, done } = prepare();
  const watch: typeof parts.observer.watch = () => ({
    follow: () => undefined,
    stop: () => {
      throw new Error('it cannot be stopped');
    },
  });
  const lab = await startLab(config, { ...parts, observer: { ...parts.observer, watch } });
  await expect(lab.end()).rejects.toMatchObject({ errors: [{ message: 'it cannot be stopped' }] });
  expect(done).toEqual(['observer', 'machines']);
  expect(existsSync(config.runDir)).toBe(false);
});
