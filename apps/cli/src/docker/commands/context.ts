/** What every docker command gets. */
import type { Daemon } from '../daemon.ts';

export interface Context {
  readonly daemon: Daemon;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Output for people and pipes. */
  out(text: string): void;
  err(text: string): void;
}

/** Resolves with the exit code. */
export type Command = (context: Context) => Promise<number>;
