/** One thing done to each name: a failing one does not keep the others from being done. */
import type { Context } from '../docker/commands/context.ts';

/** @param act what is printed for a success @returns the exit code */
export async function forEachName(
  { out, err }: Context,
  names: readonly string[],
  act: (name: string) => Promise<string>,
): Promise<number> {
  let code = 0;
  for (const name of names) {
    try {
      const text = await act(name);
      if (text !== '') out(`${text}\n`);
    } catch (error) {
      err(`Error: ${error instanceof Error ? error.message : String(error)}\n`);
      code = 125;
    }
  }
  return code;
}
