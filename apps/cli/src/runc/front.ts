/**
 * What stands before and behind a command that makes a process: native/birth.c starts the launcher while Node starts, and takes a life
 * in the foreground over from Node, which ends once the process is made.
 *
 * Knows: the descriptors that both sides agreed on.
 * Does not know: what is made.
 */
import { writeSync } from 'node:fs';
import { GivenProcess } from '@slipway/launcher';

/** Twin of native/birth.c. */
export const FRONT_ENDS = { plan: 3, records: 4, control: 5 } as const;
const HAND_OVER_FD = 6;

export interface Front {
  readonly launcher: GivenProcess;
  /** The process is made, by that launcher; whoever waits for us starts it if need be, waits for its end, and removes what is to be removed. */
  handOver(task: 'exec' | 'run' | 'run-and-keep', root: string, id: string): void;
}

/** Undefined where nobody stands before us. */
export function findFront({ SLIPWAY_FRONT: found }: Readonly<Record<string, string | undefined>>): Front | undefined {
  return found === '1' ? frontOf(new GivenProcess(FRONT_ENDS)) : undefined;
}

export function frontOf(launcher: GivenProcess): Front {
  return { launcher, handOver: (task, root, id) => void writeSync(HAND_OVER_FD, `${task}\0${root}\0${id}\0`) };
}
