/**
 * What every command of the runc dialect works with.
 *
 * Knows: the runtime's place, and how a command hands back its exit code.
 * Does not know: any command.
 */
import { createLauncher } from '@slipway/launcher';
import { createRuntime, type Runtime } from '@slipway/runtime';
import type { ParsedFlags } from '../flags.ts';
import type { Front } from './front.ts';
import type { Log } from './output.ts';

export interface Context {
  /** State directory. */
  readonly root: string;
  readonly flags: ParsedFlags;
  readonly log: Log;
  /** Groups are systemd's (--systemd-cgroup). */
  readonly systemd: boolean;
  readonly out: (text: string) => void;
  readonly front: Front | undefined;
}

/** Resolves to the exit code. */
export type Command = (context: Context) => Promise<number>;

/** `alone`: the front's launcher is left alone, since we have to stay with what we make. */
export function openRuntime({ root, log, systemd, front }: Context, { alone = false } = {}): Runtime {
  return createRuntime({
    root,
    cgroupDriver: systemd ? 'systemd' : 'cgroupfs',
    launcher: createLauncher(front === undefined || alone ? {} : { given: front.launcher }),
    movesAreReady: front !== undefined,
    onWarning: (message) => log.write('warning', message),
  });
}

/**
 * The words of a command, of which there have to be exactly so many. @throws UsageMistake
 * @spec runtime-spec/runtime.md#query-state/needs-id, runtime-spec/runtime.md#create/needs-both
 * @spec runtime-spec/runtime.md#start/needs-id, runtime-spec/runtime.md#kill/needs-id
 * @spec runtime-spec/runtime.md#delete/needs-id
 */
export function requireWords({ flags }: Context, command: string, count: number): readonly [string, ...string[]] {
  const [first, ...rest] = flags.words;
  if (first !== undefined && flags.words.length === count) return [first, ...rest];
  throw new UsageMistake(`runc: "${command}" requires exactly ${count} argument(s)`);
}

/** A mistake on the command line. */
export class UsageMistake extends Error {
  override readonly name = 'UsageMistake';
  readonly exitCode: number | undefined;

  /** @param exitCode where it is not the command's usual one */
  constructor(message: string, exitCode?: number) {
    super(message);
    this.exitCode = exitCode;
  }
}
