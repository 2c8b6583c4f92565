/**
 * What a failed operation means to people.
 *
 * Knows: error numbers, and the few operations whose failure has a meaning of its own.
 * Does not know: how the failure came to be known.
 */
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { EngineError, type ErrorKind } from '@slipway/errors';
import type { LaunchFailure } from './launcher.ts';
import type { Operation } from './operations.ts';

interface Meaning {
  readonly kind: ErrorKind;
  readonly code: `E_${string}`;
  readonly hint?: string;
}

const E = constants.errno;

const DENIED: Meaning = { kind: 'permission-denied', code: 'E_LAUNCH_DENIED', hint: 'the caller lacks a right that this operation needs' };
const INVALID: Meaning = { kind: 'invalid-argument', code: 'E_LAUNCH_INVALID' };
const UNSUPPORTED: Meaning = { kind: 'unsupported', code: 'E_LAUNCH_UNSUPPORTED', hint: 'this kernel does not offer it' };
const UNAVAILABLE: Meaning = { kind: 'unavailable', code: 'E_LAUNCH_UNAVAILABLE', hint: 'the host is short of a resource; try again' };
const LINK: Meaning = {
  kind: 'invalid-argument',
  code: 'E_LAUNCH_LINK',
  hint: 'the path leads through a symbolic link of the image, which is not followed here',
};

const BY_ERRNO: ReadonlyMap<number, Meaning> = new Map([
  [E.EPERM, DENIED],
  [E.EACCES, DENIED],
  [E.EROFS, DENIED],
  [E.ENOENT, { kind: 'invalid-argument', code: 'E_LAUNCH_MISSING', hint: 'a path that the operation needs does not exist' }],
  [E.EINVAL, INVALID],
  [E.ENOTDIR, INVALID],
  [E.EISDIR, INVALID],
  [E.ENAMETOOLONG, INVALID],
  [E.E2BIG, INVALID],
  [E.EBADF, INVALID],
  [E.EEXIST, INVALID],
  [E.EPROTO, INVALID],
  [E.ELOOP, LINK],
  [E.EXDEV, LINK],
  [E.ENOSYS, UNSUPPORTED],
  [E.EOPNOTSUPP, UNSUPPORTED],
  [E.ENODEV, UNSUPPORTED],
  [E.ENOMEM, UNAVAILABLE],
  [E.EAGAIN, UNAVAILABLE],
  [E.EMFILE, UNAVAILABLE],
  [E.ENFILE, UNAVAILABLE],
  [E.ENOSPC, UNAVAILABLE],
  [E.EBUSY, UNAVAILABLE],
  [E.EIO, UNAVAILABLE],
  [E.ECANCELED, { kind: 'failed-precondition', code: 'E_LAUNCH_ABORTED' }],
  [E.ETIMEDOUT, { kind: 'unavailable', code: 'E_LAUNCH_TIMEOUT', hint: 'the launch took longer than it was given' }],
  [
    E.ECHILD,
    { kind: 'unavailable', code: 'E_LAUNCH_KILLED', hint: 'the new process was killed while it was made: out of memory, or by a signal' },
  ],
]);

const NOT_FOUND: Meaning = { kind: 'invalid-argument', code: 'E_COMMAND_NOT_FOUND', hint: 'the file is not in the image, or not on PATH' };
const NOT_EXECUTABLE: Meaning = {
  kind: 'invalid-argument',
  code: 'E_COMMAND_NOT_EXECUTABLE',
  hint: 'the file is there, but has no execute permission or is not a program for this machine',
};

const HOOK: Meaning = {
  kind: 'failed-precondition',
  code: 'E_HOOK',
  hint: 'the hook is a program of whoever wrote config.json; run it by hand with the state on its stdin',
};

/** Failures of the search for the command and of the exec itself: exit codes 127 and 126 at the edge. */
const BY_COMMAND_ERRNO: ReadonlyMap<number, Meaning> = new Map([
  [E.ENOENT, NOT_FOUND],
  [E.ENOTDIR, NOT_FOUND],
  [E.EACCES, NOT_EXECUTABLE],
  [E.ENOEXEC, NOT_EXECUTABLE],
  [E.ELOOP, NOT_EXECUTABLE],
]);

/** An EngineError that names the field of config.json which asked for `operation`; absent: the launch as a whole. */
export function launchError(operation: Operation | undefined, failure: LaunchFailure): EngineError {
  const command = commandOf(operation);
  const meaning = meaningOf(operation, command, failure.errno);
  const { kind, code, hint } = meaning ?? { kind: 'internal', code: 'E_LAUNCH_FAILED' };
  return new EngineError(kind, sentence(operation, command, failure), {
    code,
    op: `launcher.${failure.op === '' ? 'launch' : failure.op}`,
    ...(operation === undefined ? {} : { subject: operation.pointer }),
    ...(hint === undefined ? {} : { hint }),
    cause: failure,
  });
}

function meaningOf(operation: Operation | undefined, command: string | undefined, errno: number): Meaning | undefined {
  if (operation?.op === 'containerHook') return HOOK;
  return (command === undefined ? undefined : BY_COMMAND_ERRNO.get(errno)) ?? BY_ERRNO.get(errno);
}

function commandOf(operation: Operation | undefined): string | undefined {
  if (operation?.op === 'findExecutable') return operation.name;
  return operation?.op === 'exec' ? (operation.args[0] ?? '') : undefined;
}

function sentence(operation: Operation | undefined, command: string | undefined, { op, call, errno, output }: LaunchFailure): string {
  if (operation?.op === 'containerHook')
    return `hook "${operation.hook.path}" failed (${call})${output === undefined ? '' : `: ${output}`}`;
  const [name, description] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, 'unknown error'];
  if (errno === E.ECHILD) return `the new process was ended by ${call} during ${op}`;
  if (command !== undefined && errno === E.ENOENT) return `executable "${command}" not found`;
  if (command !== undefined) return `executable "${command}" cannot be run: ${description}`;
  const subject = operation === undefined ? undefined : objectOf(operation);
  const what = op === '' ? 'the launch' : subject === undefined ? op : `${op} "${subject}"`;
  return `${what} failed: ${call}: ${name} (${description})`;
}

/** The value at fault, for the message. */
function objectOf(operation: Operation): string | undefined {
  if ('destination' in operation) return operation.destination;
  if ('hostPath' in operation) return operation.hostPath;
  if ('path' in operation) return operation.path;
  if ('cgroup' in operation) return operation.cgroup;
  if ('key' in operation) return operation.key;
  return 'name' in operation ? operation.name : undefined;
}
