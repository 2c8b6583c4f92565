/** What every command of the slipway dialect is: words in, text out, an exit code. */
export type Command = (args: readonly string[], out: (text: string) => void) => Promise<number>;
