/**
 * The directories above what a step puts somewhere, as members of its layer: those that are there with the rights that they have, since a layer that
 * says nothing of them would give them others, and those that are to be made.
 *
 * Knows: which they are.
 * Does not know: what is put there.
 */
import type { BuildScope } from './build-scope.ts';
import type { CopyMember, Owner } from './copy.ts';
import { ancestors, madeDirectory } from './made-files.ts';
import type { StageState } from './stage-state.ts';

export interface NewDirectories {
  /** Whose the ones are that are made. */
  readonly owner: Owner;
  /** Of all of them, in seconds since 1970: a directory changes when something is put into it. */
  readonly mtime: number;
}

/** Topmost first; `paths` have no leading slash and no links in them. Those that are among `paths` are left out. */
export async function directoriesAbove(
  scope: BuildScope,
  state: StageState,
  paths: readonly string[],
  { owner, mtime }: NewDirectories,
): Promise<readonly CopyMember[]> {
  const given = new Set(paths);
  const above = [...new Set(paths.flatMap(ancestors))].filter((path) => !given.has(path)).sort();
  const found = await scope.directoriesAt(state, above);
  return above.map((path, index) => madeDirectory(path, { ...(found[index] ?? owner), mtime }));
}
