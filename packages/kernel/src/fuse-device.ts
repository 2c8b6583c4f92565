/**
 * /dev/fuse: the kernel asks, one request a read; we answer, one reply a write.
 *
 * Knows: opening it, mounting what is served through it, and which errors are no failures.
 * Does not know: the protocol (packages/lazy).
 *
 * @see fuse(4), mount(8)
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, read, writevSync } from 'node:fs';
import { isErrno } from './confined.ts';

const DEVICE = '/dev/fuse';
/** More than any request of a file system that is only read. */
const REQUEST_BYTES = 128 * 1024;

/** Between attempts to read while nothing is mounted yet. */
const UNMOUNTED_MS = 2;

/** One connection to the kernel; it ends when its last mount goes. */
export class FuseDevice {
  readonly #fd: number;
  #isGone = false;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** @throws ENOENT, EPERM, ENODEV … where this host or this machine has none */
  static open(): FuseDevice {
    return new FuseDevice(openSync(DEVICE, 'r+'));
  }

  /**
   * Mounts the file system that this connection serves, read-only, at an existing directory; everybody may look into it, and the kernel
   * checks their rights by modes and owners.
   * @throws an Error with mount(8)'s words
   */
  async mount(source: string, target: string): Promise<void> {
    const options = 'fd=3,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions,ro';
    await runMount(['-i', '-n', '-t', 'fuse', '-o', options, '--', source, target], [this.#fd]);
  }

  /** Hands over each request until the file system is unmounted everywhere. `onRequest` must not throw. */
  async serve(onRequest: (request: Buffer) => void): Promise<void> {
    for (let request = await this.#next(); request !== undefined; request = await this.#next()) onRequest(request);
    this.#isGone = true;
    closeSync(this.#fd);
  }

  /** One whole reply. Quiet when whoever asked has given up meanwhile. */
  reply(parts: readonly Uint8Array[]): void {
    if (this.#isGone) return;
    try {
      writevSync(this.#fd, parts);
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENODEV', 'EBADF')) throw error;
    }
  }

  /** Undefined once nothing is mounted any more. */
  #next(): Promise<Buffer | undefined> {
    return new Promise((resolve, reject) => {
      const buffer = Buffer.allocUnsafeSlow(REQUEST_BYTES);
      const again = (): void => {
        read(this.#fd, buffer, 0, buffer.byteLength, null, (error, got) => {
          if (error === null) resolve(buffer.subarray(0, got));
          else if (isErrno(error, 'ENODEV')) resolve(undefined);
          // ENOENT: the request was taken back before it reached us.
          else if (isErrno(error, 'EINTR', 'EAGAIN', 'ENOENT')) again();
          // mount(8) has not come so far.
          else if (isErrno(error, 'EPERM')) setTimeout(again, UNMOUNTED_MS);
          else reject(error);
        });
      };
      again();
    });
  }
}

/** Whether a file system of ours can be served here at all. */
export function hasFuse(): boolean {
  try {
    closeSync(openSync(DEVICE, 'r+'));
    return true;
  } catch {
    return false;
  }
}

/** mount(8), or umount(8); never waited for with the thread stopped, as it may ask the very file system. @throws an Error with its words */
export async function runMount(
  args: readonly string[],
  descriptors: readonly number[] = [],
  program: 'mount' | 'umount' = 'mount',
): Promise<void> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe', ...descriptors],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, 300);
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status !== 0) throw new Error(`${program}: ${said.trim()}`);
}
