/**
 * Performs planned writes and reads back what the kernel made of them.
 *
 * Knows: which refusals mean "other order", and that a limit that did not arrive is an error.
 * Does not know: why a value was chosen.
 */
import { EngineError } from '@slipway/errors';
import { type ControlFiles, isErrno } from '@slipway/kernel';
import type { CgroupWrite, ReadBack } from './control-writes.ts';

/** Host directory of the container's group by hierarchy name. */
export type CgroupDirectories = Readonly<Record<string, string>>;

/** Where a plan's writes go. */
export interface Target {
  readonly directories: CgroupDirectories;
  readonly files: ControlFiles;
}

/** Files that bound each other: which has to be written first depends on the values that stand there. */
const PARTNERS: Readonly<Record<string, string>> = {
  'memory.limit_in_bytes': 'memory.memsw.limit_in_bytes',
  'cpu.cfs_period_us': 'cpu.cfs_quota_us',
  'cpu.rt_period_us': 'cpu.rt_runtime_us',
};

/**
 * @throws EngineError `invalid-argument` / `E_CGROUP_VALUE` for a value the kernel refuses; `unsupported` / `E_CGROUP_CONTROLLER` where the
 *   file is missing or may not be written; `internal` / `E_CGROUP_READ_BACK` when another value stands there afterwards
 */
export function applyWrites(writes: readonly CgroupWrite[], target: Target): void {
  const late = new Set<CgroupWrite>();
  for (const write of writes) {
    const isLast = !writes.some((other) => other.file === PARTNERS[write.file]);
    if (!tryWrite(write, target, isLast)) late.add(write);
  }
  for (const write of late) tryWrite(write, target, true);
  for (const write of writes) verify(write, target);
}

/** False when the kernel wants the partner first. */
function tryWrite(write: CgroupWrite, { directories, files }: Target, isLast: boolean): boolean {
  try {
    files.write(`${directories[write.hierarchy]}/${write.file}`, write.value);
    return true;
  } catch (error) {
    if (!isLast && isErrno(error, 'EINVAL', 'EBUSY')) return false;
    // Without swap accounting there is no file, and nothing to lift.
    if (isUnlimited(write) && isErrno(error, 'ENOENT')) return true;
    throw explain(write, error);
  }
}

function verify(write: CgroupWrite, { directories, files }: Target): void {
  if (write.readBack === undefined) return;
  const path = `${directories[write.hierarchy]}/${write.file}`;
  if (isUnlimited(write) && files.kind(path) === undefined) return;
  const found = files.read(path).trim();
  if (matches(write.readBack, found)) return;
  throw new EngineError(
    'internal',
    `${write.file} holds ${JSON.stringify(found)} after ${JSON.stringify(write.value)} was written for ${write.pointer}`,
    {
      code: 'E_CGROUP_READ_BACK',
      op: 'cgroup.apply',
      subject: write.pointer,
      hint: 'another program may be managing this cgroup; give the container a path of its own',
    },
  );
}

/** Anything from here up is how v1 spells "no limit". */
const V1_UNLIMITED = 1n << 62n;
const PAGE = 4096n;

function matches(expected: ReadBack, found: string): boolean {
  if (expected.as === 'exact') return found === expected.text;
  if (expected.as === 'list') return sameList(found, expected.text);
  if (expected.value === 'max') return found === 'max' || (/^[0-9]+$/.test(found) && BigInt(found) >= V1_UNLIMITED);
  if (found === 'max') return expected.value >= V1_UNLIMITED;
  if (!/^[0-9]+$/.test(found)) return false;
  const value = BigInt(found);
  return value === expected.value || value === (expected.value / PAGE) * PAGE || (value >= V1_UNLIMITED && expected.value >= V1_UNLIMITED);
}

/** `0-2` and `0,1,2` are the same list. */
function sameList(a: string, b: string): boolean {
  return expandList(a).join() === expandList(b).join();
}

function expandList(text: string): number[] {
  const numbers = text.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  });
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function isUnlimited(write: CgroupWrite): boolean {
  return write.readBack?.as === 'bytes' && write.readBack.value === 'max';
}

function explain(write: CgroupWrite, cause: unknown): EngineError {
  const init = { op: 'cgroup.apply', subject: write.pointer, cause };
  const where = `${write.file} of the ${write.hierarchy} hierarchy`;
  if (isErrno(cause, 'ENOENT', 'EACCES', 'EPERM', 'EROFS', 'EOPNOTSUPP', 'ENODEV')) {
    return new EngineError(
      'unsupported',
      `cannot apply ${write.pointer}: ${where} ${cause.code === 'ENOENT' ? 'does not exist' : 'may not be written here'}`,
      {
        ...init,
        code: 'E_CGROUP_CONTROLLER',
        hint: `leave out ${write.pointer}, or give this process the controller ${write.controller}`,
      },
    );
  }
  if (isErrno(cause, 'EBUSY') && write.controller === 'memory') {
    return new EngineError('failed-precondition', `${write.pointer} is below what the group uses already`, {
      ...init,
      code: 'E_CGROUP_VALUE',
      hint: 'stop processes in it first, or give it more memory',
    });
  }
  return new EngineError('invalid-argument', `the kernel refuses ${JSON.stringify(write.value)} for ${where}`, {
    ...init,
    code: 'E_CGROUP_VALUE',
    hint: `check ${write.pointer} against what the parent group allows`,
  });
}
