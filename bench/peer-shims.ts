/**
 * What a peer's shim holds: containerd's under Debian's dockerd.
 *
 * Knows: how it is brought to stand beside a container that sleeps, and how its process is found.
 * Does not know: what ours holds (memory.ts).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DebianDocker, findDockerClient } from './debian-docker.ts';
import { timeProgram, type Workplace } from './workplace.ts';

const SETTLE_MS = 1000;

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
