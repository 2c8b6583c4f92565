/**
 * The kernel's event tracing as files: finding or mounting tracefs, and reading an instance's ring buffer page by page.
 *
 * Knows: where tracefs stands, how it is mounted for us alone, and that a page is there or not without waiting.
 * Does not know: events and their formats (packages/observe).
 *
 * @see kernel Documentation/trace/ftrace.rst, Documentation/trace/ring-buffer-map.rst
 */
import * as fs from 'node:fs';
import { EngineError } from '@slipway/errors';
import { isErrno } from './confined.ts';
import { readMounts } from './mountinfo.ts';
import { runProgram } from './program.ts';

/** A tracefs that can be used, and how to let go of it. */
export interface TracefsMount {
  readonly directory: string;
  /** Unmounts what {@link ensureTracefs} mounted; does nothing to one that was there before. */
  release(): Promise<void>;
}

/** Where distributions mount tracefs for everybody. */
const USUAL_PLACES = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];

/** Mount point of the host's own tracefs; undefined when it is not mounted at a usual place. */
export function findTracefs(): string | undefined {
  return readMounts('self').find((mount) => mount.fsType === 'tracefs' && USUAL_PLACES.includes(mount.mountPoint))?.mountPoint;
}

/**
 * Uses the host's tracefs where it is mounted, else mounts one at `directory` (made when missing, nobody else's), unseen by other
 * mount namespaces.
 *
 * @throws EngineError `unsupported` / `E_TRACEFS_MOUNT`; nothing stays mounted
 */
export async function ensureTracefs(directory: string): Promise<TracefsMount> {
  const found = findTracefs();
  if (found !== undefined) return { directory: found, release: async () => {} };
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  try {
    // The bind makes a mount of our own whose propagation can be cut before tracefs goes on top.
    await mount(['--bind', directory, directory], directory);
    await mount(['--make-private', directory], directory);
    await mount(['-t', 'tracefs', '-o', 'nosuid,nodev,noexec,mode=700', 'tracefs', directory], directory);
  } catch (error) {
    await releaseTracefs(directory);
    throw error;
  }
  return { directory, release: () => releaseTracefs(directory) };
}

/** Undoes what {@link ensureTracefs} did at `directory`, also when another process did it. Quiet when there is nothing. */
export async function releaseTracefs(directory: string): Promise<void> {
  for (let tries = 0; tries < 4 && !removeMountPoint(directory); tries++) {
    // Lazily at last: a reader that did not close must not keep the mount in everybody's table.
    await runProgram({ program: 'umount', args: tries < 2 ? ['--', directory] : ['--lazy', '--', directory] });
  }
  removeMountPoint(directory);
}

/**
 * False while something is mounted there. Only rmdir(2) knows: the mount table has another name for a directory that is reached
 * through a symbolic link or was mounted over by its other names.
 */
function removeMountPoint(directory: string): boolean {
  try {
    fs.rmdirSync(directory);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true;
    if (isErrno(error, 'EBUSY')) return false;
    throw error;
  }
}

async function mount(args: readonly string[], directory: string): Promise<void> {
  const { exitCode, stderr } = await runProgram({ program: 'mount', args });
  if (exitCode === 0) return;
  throw new EngineError('unsupported', `cannot mount tracefs: ${stderr.trim().slice(0, 300)}`, {
    code: 'E_TRACEFS_MOUNT',
    op: 'tracefs.mount',
    subject: directory,
    hint: 'run as root on a host whose kernel has CONFIG_FTRACE, or mount tracefs at /sys/kernel/tracing beforehand',
  });
}

/** One processor's part of an instance's ring buffer (`per_cpu/cpuN/trace_pipe_raw`). Reading consumes. */
export interface TracePages {
  /** Fills `page` with the next page that holds events; false when there is none at the moment. Never waits. */
  read(page: Uint8Array): boolean;
  close(): void;
}

/** Opens a `trace_pipe_raw` file. */
export function openTracePages(path: string): TracePages {
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  return {
    read: (page) => {
      try {
        return fs.readSync(fd, page, 0, page.length, null) > 0;
      } catch (error) {
        if (isErrno(error, 'EAGAIN', 'EINTR')) return false;
        throw error;
      }
    },
    close: () => fs.closeSync(fd),
  };
}
