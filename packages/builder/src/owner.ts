/**
 * `--chown`: names and numbers, by the account files of the stage.
 *
 * Knows: where those files are.
 * Does not know: their format (packages/engine).
 */
import { readInLayers, resolveUser } from '@slipway/engine';
import type { BuildScope } from './build-scope.ts';
import type { Owner } from './copy.ts';
import { atLine } from './failure.ts';
import type { StageState } from './stage-state.ts';

/** A user without a group has the group of the same number. @throws EngineError as resolveUser, naming the line */
export async function resolveOwner(scope: BuildScope, state: StageState, text: string, line: number): Promise<Owner> {
  const [user = '', group] = text.split(':');
  if (/^[0-9]{1,9}$/.test(user) && (group === undefined || /^[0-9]{1,9}$/.test(group)))
    return { uid: Number(user), gid: Number(group ?? user) };
  const layers = await scope.layersOf(state);
  const read = (path: string) => readInLayers(layers, path) ?? '';
  try {
    const { uid, gid } = resolveUser(text, { passwd: read('/etc/passwd'), group: read('/etc/group') }, []);
    return { uid, gid };
  } catch (error) {
    throw atLine(line, error);
  }
}
