/**
 * What a daemon and its containers hold of the machine, in numbers that must be flat.
 *
 * Knows: where to count.
 * Does not know: which of it is a leak.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cgroupDirectories, type TestDaemon } from './test-daemon.ts';

export interface Footprint {
  /** Processes that have something in the daemon's state directory open: shims, wherever they were reparented to. */
  readonly processes: number;
  /** Mounts of anything below the daemon's directories, in our mount namespace. */
  readonly mounts: number;
  readonly cgroups: number;
  /** Open descriptors of the daemon. */
  readonly fds: number;
  /** File-system blocks (but for the data bases' own logs, which grow to 4 MiB and stay there) and inodes of root and state. */
  readonly blocks: number;
  readonly inodes: number;
}

const SETTLE_MS = 300;

/** Once the daemon has done what it does between requests, such as making ready for a next container: its descriptors have stayed as they are. */
export async function measureFootprint(daemon: TestDaemon): Promise<Footprint> {
  for (let last = countFootprint(daemon); ; ) {
    await delay(SETTLE_MS);
    const now = countFootprint(daemon);
    if (now.fds === last.fds) return now;
    last = now;
  }
}

function countFootprint(daemon: TestDaemon): Footprint {
  const [blocks = 0, inodes = 0] = execFileSync(
    'sh',
    [
      '-c',
      'du -s --block-size=4096 --exclude="*-wal" "$1" "$2" | awk \'{s+=$1} END {print s}\'; find "$1" "$2" | wc -l',
      'sh',
      daemon.root,
      daemon.state,
    ],
    {
      encoding: 'utf8',
    },
  )
    .trim()
    .split('\n')
    .map(Number);
  return {
    processes: countShims(daemon.state),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(daemon.base)).length,
    // Those kept ready for a next container come and go with the process that stands in them.
    cgroups: cgroupDirectories().filter((path) => !basename(path).startsWith('next-')).length,
    fds: readdirSync(`/proc/${daemon.pid}/fd`).length,
    blocks,
    inodes,
  };
}

function countShims(state: string): number {
  return readdirSync('/proc').filter((name) => {
    if (!/^[0-9]+$/.test(name)) return false;
    try {
      return readdirSync(`/proc/${name}/fd`).some((fd) => linkOf(`/proc/${name}/fd/${fd}`).startsWith(state));
    } catch {
      return false; // ended meanwhile
    }
  }).length;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // closed meanwhile
  }
}
