/**
 * What peers' shims hold: containerd's under Debian's dockerd, and conmon, which podman and CRI-O have for one, over Debian's runc.
 *
 * Knows: how it is brought to stand beside a container that sleeps, and how its process is found.
 * Does not know: what ours holds (memory.ts).
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultSpec, formatSpecJson } from '@slipway/oci';
import { DEBIAN_RUNC } from './bundles.ts';
import { DebianDocker, findDockerClient } from './debian-docker.ts';
import { CHECKOUT, timeProgram, type Workplace } from './workplace.ts';

const CONMON = `${CHECKOUT}/.slipway/peers/podman/usr/bin/conmon`;

const SETTLE_MS = 1000;
const CREATED_MS = 15_000;

/** Proportional set size in KiB: a page that n processes share counts 1/n in each. */
export function readPss(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);
}

/** KiB of each of `count` containerd-shim-runc-v2, on the average; undefined, with a sentence, where dockerd does not start. */
export async function measureContainerdShims(place: Workplace, count: number): Promise<number | undefined> {
  const client = findDockerClient();
  const docker =
    client === undefined ? undefined : await DebianDocker.start(place, client, (text) => void process.stderr.write(`${text}\n`));
  if (client === undefined || docker === undefined) return undefined;
  const names = Array.from({ length: count }, (_, number) => `bench-${number}`);
  const call = (...args: string[]) => timeProgram(client, args, { DOCKER_HOST: docker.host });
  try {
    for (const name of names) await call('run', '-d', '--name', name, '--network', 'none', 'busybox', 'sleep', '1000');
    await sleep(SETTLE_MS);
    const pids = shimsBelow(place);
    return pids.reduce((sum, pid) => sum + readPss(pid), 0) / pids.length;
  } finally {
    await call('rm', '-f', ...names);
    await docker.stop();
  }
}

/** By the socket that each of them was told of, which is this bench's own. */
function shimsBelow(place: Workplace): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return words.includes('containerd-shim-runc-v2') && words.includes(place.directory);
      } catch {
        return false; // it has ended
      }
    })
    .map(Number);
}

/** KiB of each of `count` conmon, on the average; undefined, with a sentence, where there is none. */
export async function measureConmon(place: Workplace, count: number): Promise<number | undefined> {
  if (!existsSync(CONMON) || DEBIAN_RUNC === undefined) {
    process.stderr.write('conmon is left out: set-up has not fetched it, or there is no runc for it\n');
    return undefined;
  }
  const runtime = DEBIAN_RUNC;
  const runc = (...words: string[]) => timeProgram(runtime, ['--root', place.path('conmon-runc'), ...words]);
  const ids = Array.from({ length: count }, (_, number) => `conmon-${number}`);
  const pids: number[] = [];
  try {
    for (const id of ids) {
      await timeProgram(CONMON, conmonFlags(place, { id, runtime }));
      pids.push(Number(readFileSync(place.path(`${id}/conmon.pid`), 'utf8')));
      await created(place.path(`${id}/pid`));
      await runc('start', id);
    }
    await sleep(SETTLE_MS);
    return pids.reduce((sum, pid) => sum + readPss(pid), 0) / count;
  } finally {
    for (const id of ids.slice(0, pids.length)) await runc('delete', '--force', id);
    // Each ends with its container.
    while (pids.some((pid) => existsSync(`/proc/${pid}/exe`))) await sleep(20);
  }
}

/** Conmon goes to the background before its runtime has made the container. */
async function created(pidFile: string): Promise<void> {
  for (const deadline = Date.now() + CREATED_MS; !existsSync(pidFile); await sleep(10)) {
    if (Date.now() > deadline) throw new Error('conmon made no container');
  }
}

/** As podman gives them for a container in the background, with a bundle made for it. */
function conmonFlags(place: Workplace, { id, runtime }: { readonly id: string; readonly runtime: string }): string[] {
  const bundle = place.path(id);
  mkdirSync(`${bundle}/rootfs/bin`, { recursive: true });
  for (const name of ['proc', 'dev', 'sys']) mkdirSync(`${bundle}/rootfs/${name}`);
  copyFileSync('/usr/bin/busybox', `${bundle}/rootfs/bin/sleep`);
  const spec = defaultSpec();
  const process = { ...spec.process, cwd: '/', terminal: false, args: ['sleep', '1000'] };
  const linux = { ...spec.linux, cgroupsPath: `/${place.cgroup}/${id}` };
  writeFileSync(`${bundle}/config.json`, formatSpecJson({ ...spec, ociVersion: '1.0.2', process, linux }));
  return [
    ...['--api-version', '1', '-c', id, '-u', id, '-n', id, '-r', runtime, '-b', bundle, '--exit-dir', place.directory, '--full-attach'],
    ...['-p', `${bundle}/pid`, '-P', `${bundle}/conmon.pid`, '-l', `k8s-file:${bundle}/ctr.log`, '--log-level', 'error'],
    ...['--runtime-arg', '--root', '--runtime-arg', place.path('conmon-runc')],
  ];
}
