/**
 * One bundle for two OCI runtimes: the config.json that our engine wrote for a default container.
 *
 * Knows: what has to be added for a runtime that is not told of a root file system to mount: an overlay that stands there already,
 * which saves it a mount, and a cgroup of its own.
 * Does not know: the runtimes.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Bundle } from './engine-under-test.ts';
import { CHECKOUT, timeProgram, type Workplace } from './workplace.ts';

export interface OciRuntime {
  /** Wall time of `run` to the container's end. */
  run(): Promise<number>;
}

export const DEBIAN_RUNC = ['/usr/sbin/runc', '/usr/bin/runc'].find((path) => existsSync(path));
export const OUR_RUNC = `${CHECKOUT}/bin/runc`;

/** A runtime with a bundle and a root of its own. */
export function prepareRuntime(place: Workplace, name: string, program: string, { directory, lower }: Bundle): OciRuntime {
  const bundle = place.path(`${name}-bundle`);
  const layers = place.path(`${name}-layers`);
  for (const path of [bundle, `${bundle}/rootfs`, layers, `${layers}/upper`, `${layers}/work`]) mkdirSync(path);
  const options = `lowerdir=${lower},upperdir=${layers}/upper,workdir=${layers}/work`;
  execFileSync('mount', ['-t', 'overlay', '-o', options, 'overlay', `${bundle}/rootfs`]);
  const spec = JSON.parse(readFileSync(`${directory}/config.json`, 'utf8'));
  spec.root.path = 'rootfs';
  spec.linux.cgroupsPath = `/${place.cgroup}/${name}`;
  writeFileSync(`${bundle}/config.json`, JSON.stringify(spec));
  let round = 0;
  return {
    run: () => timeProgram(program, ['--root', place.path(`${name}-root`), 'run', '--bundle', bundle, `${name}-${++round}`]),
  };
}
