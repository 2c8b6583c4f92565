/**
 * One bundle for several OCI runtimes: the config.json that our engine wrote for a default container.
 *
 * Knows: what has to be added for a runtime that is not told of a root file system to mount: an overlay that stands there already,
 * which saves it a mount, and a cgroup of its own; the verbs of a container's life.
 * Does not know: the runtimes.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProcStat, isSameProcess } from '@slipway/kernel';
import type { Bundle } from './engine-under-test.ts';
import { CHECKOUT, timeProgram, type Workplace } from './workplace.ts';

/** Wall time of each verb to its end, in milliseconds. */
export interface OciRuntime {
  /** Of `run` to the container's end. */
  run(): Promise<number>;
  /** Of a container that waits for a signal: each verb of its life, and `exec true` in the middle of it. */
  live(): Promise<Readonly<Record<LifeVerb | 'exec', number>>>;
  /** What `use` makes of the first process of a container that waits. */
  hold<T>(use: (pid: number) => T): Promise<T>;
}

export const LIFE_VERBS = ['create', 'start', 'kill', 'delete'] as const;
export type LifeVerb = (typeof LIFE_VERBS)[number];

const find = (...paths: string[]) => paths.find((path) => existsSync(path));
export const DEBIAN_RUNC = find('/usr/sbin/runc', '/usr/bin/runc');
export const DEBIAN_CRUN = find('/usr/bin/crun');
export const OUR_RUNC = `${CHECKOUT}/bin/runc`;

/** A runtime with bundles and a root of its own. */
export function prepareRuntime(place: Workplace, name: string, program: string, bundle: Bundle): OciRuntime {
  const short = makeBundle(place, `${name}-short`, bundle, ['true']);
  const long = makeBundle(place, `${name}-long`, bundle, ['sleep', '1000']);
  const call = (...args: string[]) => timeProgram(program, ['--root', place.path(`${name}-root`), ...args]);
  const pidOf = (id: string) => Number(readFileSync(place.path(`${id}.pid`), 'utf8'));
  const begin = async (id: string) => {
    const create = await call('create', '--bundle', long, '--pid-file', place.path(`${id}.pid`), id);
    return { create, start: await call('start', id) };
  };
  const end = async (id: string) => {
    const kill = await call('kill', id, 'KILL');
    await ended(pidOf(id));
    return { kill, delete: await call('delete', id) };
  };
  let round = 0;
  return {
    run: () => call('run', '--bundle', short, `${name}-${++round}`),
    live: async () => {
      const id = `${name}-${++round}`;
      const began = await begin(id);
      const exec = await call('exec', id, 'true');
      return { ...began, exec, ...(await end(id)) };
    },
    hold: async (use) => {
      const id = `${name}-${++round}`;
      await begin(id);
      try {
        return use(pidOf(id));
      } finally {
        await end(id);
      }
    },
  };
}

function makeBundle(place: Workplace, name: string, { directory, lower }: Bundle, args: readonly string[]): string {
  const bundle = place.path(`${name}-bundle`);
  const layers = place.path(`${name}-layers`);
  for (const path of [bundle, `${bundle}/rootfs`, layers, `${layers}/upper`, `${layers}/work`]) mkdirSync(path);
  const options = `lowerdir=${lower},upperdir=${layers}/upper,workdir=${layers}/work`;
  execFileSync('mount', ['-t', 'overlay', '-o', options, 'overlay', `${bundle}/rootfs`]);
  const spec = JSON.parse(readFileSync(`${directory}/config.json`, 'utf8'));
  spec.ociVersion = '1.0.2'; // crun 1.8 refuses later ones unread
  spec.root.path = 'rootfs';
  spec.process.args = args;
  spec.linux.cgroupsPath = `/${place.cgroup}/${name}`;
  writeFileSync(`${bundle}/config.json`, JSON.stringify(spec));
  return bundle;
}

/** What has been killed takes a moment to die, which is nobody's merit or fault. */
async function ended(pid: number): Promise<void> {
  const startTime = findProcStat(pid)?.startTime ?? '';
  while (isSameProcess(pid, startTime)) await sleep(1);
}
