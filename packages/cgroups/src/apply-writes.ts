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

/**
 * Some files bound each other (limit and limit with swap; period, quota and burst), and which has to be written first depends on the values
 * that stand there: what the kernel refuses is tried again after the others, as long as one of them goes in.
 *
 * @throws EngineError `invalid-argument` / `E_CGROUP_VALUE` for a value the kernel refuses; `unsupported` / `E_CGROUP_CONTROLLER` where the
 *   file is missing or may not be written; `internal` / `E_CGROUP_READ_BACK` when another value stands there afterwards
 */
export function applyWrites(writes: readonly CgroupWrite[], target: Target): void {
  const chosen = chooseFiles(writes, target);
  for (const write of chosen) requireAboveUsage(write, target);
  for (let pending = chosen; pending.length > 0; ) {
    const refused = pending.filter((write) => !tryWrite(write, target));
    const [first] = refused;
    if (first !== undefined && refused.length === pending.length) writeOrExplain(first, target);
    pending = refused;
  }
  for (const write of chosen) verify(write, target);
}

/** Takes each write's other file where the group does not have the first. */
export function chooseFiles(writes: readonly CgroupWrite[], { directories, files }: Target): readonly CgroupWrite[] {
  return writes.map(({ otherwise, ...write }) => {
    const has = (file: string) => files.kind(`${directories[write.hierarchy]}/${file}`) !== undefined;
    return otherwise !== undefined && !has(write.file) && has(otherwise.file) ? { ...write, ...otherwise } : write;
  });
}

/** v2 would kill processes of the group rather than refuse the limit. */
function requireAboveUsage(write: CgroupWrite, { directories, files }: Target): void {
  if (write.notBelow === undefined) return;
  const usage = BigInt(files.read(`${directories[write.hierarchy]}/${write.notBelow}`).trim());
  if (usage <= BigInt(write.value)) return;
  throw belowUsage(write, `${write.value} bytes, below the ${usage} bytes that the group uses already`);
}

/** False when the kernel refuses the value as things stand. */
function tryWrite(write: CgroupWrite, target: Target): boolean {
  try {
    writeOrExplain(write, target);
    return true;
  } catch (error) {
    if (error instanceof EngineError && isErrno(error.cause, 'EINVAL', 'EBUSY')) return false;
    throw error;
  }
}

function writeOrExplain(write: CgroupWrite, { directories, files }: Target): void {
  try {
    files.write(`${directories[write.hierarchy]}/${write.file}`, write.value);
  } catch (error) {
    if (write.isDefault === true && isErrno(error, 'ENOENT')) return;
    throw explain(write, error);
  }
}

function verify(write: CgroupWrite, { directories, files }: Target): void {
  if (write.readBack === undefined) return;
  const path = `${directories[write.hierarchy]}/${write.file}`;
  if (write.isDefault === true && files.kind(path) === undefined) return;
  const found = files.read(path).trim();
  if (isReadBack(write.readBack, found)) return;
  throw new EngineError(
    'internal',
    `${write.file} holds ${JSON.stringify(found.slice(0, 200))} after ${JSON.stringify(write.value)} was written for ${write.pointer}`,
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

/** Whether the text of a control file is what a write left there. */
export function isReadBack(expected: ReadBack, found: string): boolean {
  if (expected.as === 'exact') return found === expected.text;
  if (expected.as === 'list') return sameList(found, expected.text);
  if (expected.as === 'entry') return hasEntry(found, expected.text);
  const [word = ''] = found.split(/\s/);
  const value = word === 'max' ? V1_UNLIMITED : /^[0-9]+$/.test(word) ? BigInt(word) : undefined;
  if (value === undefined) return false;
  if (expected.value === 'max' || expected.value >= V1_UNLIMITED) return value >= V1_UNLIMITED;
  const page = expected.pageBytes ?? PAGE;
  return value === expected.value || value === (expected.value / page) * page;
}

/** A line without a limit is left out by the kernel. */
function hasEntry(found: string, text: string): boolean {
  const [key = '', ...settings] = text.split(/\s+/);
  const line = found
    .split('\n')
    .map((each) => each.trim().split(/\s+/))
    .find(([first]) => first === key);
  if (line === undefined) return settings.every((setting) => setting === '0' || setting.endsWith('=max'));
  return settings.every((setting) => line.includes(setting));
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

function explain(write: CgroupWrite, cause: unknown): EngineError {
  const init = { op: 'cgroup.apply', subject: write.pointer, cause };
  const where = `${write.file} of the ${write.hierarchy} hierarchy`;
  // Of a file that names a device, these are about the device.
  if (isErrno(cause, 'ENODEV', 'EOPNOTSUPP') && write.readBack?.as === 'entry') {
    return new EngineError('invalid-argument', `cannot apply ${write.pointer}: no device here takes ${JSON.stringify(write.value)}`, {
      ...init,
      code: 'E_CGROUP_VALUE',
      hint: cause.code === 'ENODEV' ? 'name a device that exists' : 'its driver or scheduler has no such setting',
    });
  }
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
    return belowUsage(write, 'below what the group uses already', cause);
  }
  return new EngineError('invalid-argument', `the kernel refuses ${JSON.stringify(write.value)} for ${where}`, {
    ...init,
    code: 'E_CGROUP_VALUE',
    hint: `check ${write.pointer} against what the parent group allows`,
  });
}

function belowUsage(write: CgroupWrite, how: string, cause?: unknown): EngineError {
  return new EngineError('failed-precondition', `${write.pointer} is ${how}`, {
    code: 'E_CGROUP_VALUE',
    op: 'cgroup.apply',
    subject: write.pointer,
    hint: 'stop processes in it first, or give it more memory',
    cause,
  });
}
