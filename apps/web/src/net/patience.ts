/**
 * Asking again: which refusals pass by themselves, and how soon the same is asked once more.
 *
 * Knows: codes. Does not know: what was asked, nor who waits.
 */
import { WorkbenchError } from './workbench-client.ts';

export const AGAIN_MS = 3000;

/** The engine is being started again, the registry with it; the agent ended; too much was asked at once; the connection comes back. */
const MAY_PASS = new Set(['E_WORKBENCH_ENGINE', 'E_WORKBENCH_REGISTRY', 'E_WORKBENCH_GONE', 'E_WORKBENCH_BUSY', 'E_OFFLINE']);

/** Whether the same question may be answered a moment later, with nothing done about it. */
export function mayPass(error: unknown): boolean {
  return error instanceof WorkbenchError && MAY_PASS.has(error.code);
}

export interface Patience {
  /** After each refusal that may pass; false: nobody wants the answer any more. */
  readonly goesOn: (error: unknown) => boolean;
  readonly againMs?: number;
}

/** Asks until there is an answer; undefined when it is not wanted any more. @throws a refusal that stands */
export async function untilAnswered<T>(ask: () => Promise<T>, { goesOn, againMs = AGAIN_MS }: Patience): Promise<T | undefined> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!mayPass(error)) throw error;
      if (!goesOn(error)) return undefined;
    }
    await new Promise((resolve) => setTimeout(resolve, againMs));
  }
}
