/**
 * The system calls that native/quick/system.c offers.
 *
 * Knows: their shapes. A negative number is an errno.
 * Does not know: node:fs and its like, which are made of them.
 */

/** mode, dev, ino, size, mtimeNs, ctimeNs, uid, gid */
export type StatNumbers = readonly [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];

export interface System {
  /** The script that Node would run, then its words. */
  readonly args: readonly string[];
  /** As `process.arch`. */
  readonly arch: string;
  readonly pid: number;
  /** Effective. */
  readonly uid: number;
  readonly gid: number;
  open(path: string, flags: number, mode: number): number;
  close(fd: number): number;
  read(fd: number, bytes: Uint8Array, offset: number, length: number): number;
  write(fd: number, bytes: Uint8Array, offset: number, length: number): number;
  mkdir(path: string, mode: number): number;
  chmod(path: string, mode: number): number;
  access(path: string, mode: number): number;
  rmdir(path: string): number;
  unlink(path: string): number;
  rename(from: string, to: string): number;
  chown(path: string, uid: number, gid: number): number;
  stat(path: string, followsLinks: boolean): StatNumbers | number;
  fstat(fd: number): StatNumbers | number;
  readlink(path: string): string | number;
  realpath(path: string): string | number;
  /** Name, whether it is a directory, name, … */
  readdir(path: string): readonly (string | boolean)[] | number;
  kill(pid: number, signal: number): number;
  /** Nothing else happens meanwhile. */
  sleep(ms: number): void;
  /** CLOCK_MONOTONIC in milliseconds. */
  now(): number;
  cwd(): string | number;
  strerror(errno: number): string;
  /** UTF-8. */
  encode(text: string): ArrayBuffer;
  /** Undefined for what is no UTF-8. */
  decode(bytes: Uint8Array, offset: number, length: number): string | undefined;
  /** Done, with this exit code; without it Node does the command from the beginning. */
  end(code: number): void;
  /** Why it is left to Node, for whoever sets SLIPWAY_BIRTHS_DEBUG. */
  leave(reason: string): void;
}

export const { system } = globalThis as unknown as { readonly system: System };
