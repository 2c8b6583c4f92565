/**
 * Debian's dockerd and containerd as a peer, from the unpacked packages of set-up, on directories of their own.
 *
 * Knows: how they are started beside whatever else runs, and how to tell that they cannot be.
 * Does not know: what is measured.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { busyboxArchive } from './engine-under-test.ts';
import { CHECKOUT, endChild, timeProgram, type Workplace } from './workplace.ts';

const UNPACKED = `${CHECKOUT}/.slipway/peers/docker`;
const READY_MS = 20_000;

/** The real docker client; undefined where there is none. */
export function findDockerClient(): string | undefined {
  const named = process.env['DOCKER_CLIENT'];
  const places = ['/usr/local/bin/docker', `${UNPACKED}/usr/bin/docker`, '/usr/bin/docker'];
  return named ?? places.find((path) => existsSync(path));
}

export class DebianDocker {
  readonly host: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, host: string) {
    this.#child = child;
    this.host = host;
  }

  /** Undefined, with the reason told to `say`, where it does not start. */
  static async start(place: Workplace, client: string, say: (reason: string) => void): Promise<DebianDocker | undefined> {
    if (!existsSync(`${UNPACKED}/usr/sbin/dockerd`)) {
      say('Debian’s dockerd is left out: it is not unpacked (`npm test` fetches it)');
      return undefined;
    }
    const host = `unix://${place.path('dockerd.sock')}`;
    const docker = new DebianDocker(startDockerd(place, host), host);
    try {
      await docker.#ready(place.path('dockerd.sock'));
      await timeProgram(client, ['load', '-q', '-i', busyboxArchive(place)], { DOCKER_HOST: host });
      return docker;
    } catch (error) {
      await docker.stop();
      const log = readFileSync(place.path('dockerd.log'), 'utf8').trimEnd().split('\n').at(-1);
      say(`Debian’s dockerd is left out: ${error instanceof Error ? error.message : String(error)} (${log})`);
      return undefined;
    }
  }

  async stop(): Promise<void> {
    await endChild(this.#child);
  }

  async #ready(socket: string): Promise<void> {
    for (const deadline = Date.now() + READY_MS; !existsSync(socket); await sleep(50)) {
      if (this.#child.exitCode !== null || Date.now() > deadline) throw new Error('it did not come up');
    }
  }
}

/** Without a bridge and iptables, so that nothing outside its own directories changes; containers get the network `none`. */
function startDockerd(place: Workplace, host: string): ChildProcess {
  const log = openSync(place.path('dockerd.log'), 'a');
  const own = ['--data-root', place.path('dockerd'), '--exec-root', place.path('dockerd-run'), '--pidfile', place.path('dockerd.pid')];
  const quiet = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'];
  const flags = [...own, ...quiet, '--host', host, '--storage-driver=overlay2', `--cgroup-parent=/${place.cgroup}`];
  return spawn(`${UNPACKED}/usr/sbin/dockerd`, flags, {
    env: { ...process.env, PATH: `${UNPACKED}/usr/sbin:${UNPACKED}/usr/bin:${process.env['PATH']}` },
    stdio: ['ignore', log, log],
  });
}
