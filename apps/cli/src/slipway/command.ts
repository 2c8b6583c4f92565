/** What the `slipway` dialect is called with. */
export interface Call {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** CLOCK_MONOTONIC milliseconds at which we started. */
  readonly startedMs: number;
}

/** One of its commands; resolves with the exit code. */
export type Command = (args: readonly string[], out: (text: string) => void, call: Call) => Promise<number>;
