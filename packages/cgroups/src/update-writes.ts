/**
 * Changing limits of a group in use, so that a refused one leaves the others as they were.
 *
 * Knows: which files hold one value that can be read, kept and written again.
 * Does not know: why a limit changes.
 */
import { isErrno } from '@slipway/kernel';
import { applyWrites, chooseFiles, type Target } from './apply-writes.ts';
import type { CgroupWrite } from './control-writes.ts';

/** @throws as applyWrites; what had been written until then has its old value again, as far as the kernel takes it back */
export function updateWrites(writes: readonly CgroupWrite[], target: Target): void {
  const before = chooseFiles(writes, target)
    .flatMap((write) => keep(write, target))
    .toReversed();
  try {
    applyWrites(writes, target);
  } catch (error) {
    // Twice: of two values that bound each other, one has to go back first, and which one depends on both.
    for (const file of [...before, ...before]) tryRestore(file, target);
    throw error;
  }
}

interface KeptValue {
  readonly path: string;
  readonly text: string;
}

/** Files that are lists of entries are left out: what is read from them is not what they take. */
function keep({ hierarchy, file, readBack }: CgroupWrite, { directories, files }: Target): readonly KeptValue[] {
  if (readBack === undefined || readBack.as === 'entry') return [];
  const path = `${directories[hierarchy]}/${file}`;
  return files.kind(path) === undefined ? [] : [{ path, text: files.read(path).trim() }];
}

function tryRestore({ path, text }: KeptValue, { files }: Target): void {
  try {
    files.write(path, text);
  } catch (error) {
    if (!isErrno(error, 'EINVAL', 'EBUSY', 'ENODEV', 'ENOENT')) throw error;
  }
}
