/**
 * What the command line takes from its environment.
 *
 * Knows: that this is the one place where it is read.
 * Does not know: which variable means what; each dialect has its own.
 */
export function readEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}
