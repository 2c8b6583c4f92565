/**
 * Node's other modules, as far as making a process needs them. What the sources import and is not here is undefined
 * (scripts/bundle-commands.mjs): its use throws, and Node does the command.
 *
 * Knows: names that the sources import.
 * Does not know: child processes, sockets, streams.
 */
import { readFileSync } from './node-fs.ts';
import { system } from './system.ts';

export { constants } from 'slipway:os-constants';

/** The one thing under way waits, so nothing has to be told when it is over. */
export async function setTimeout(ms: number): Promise<void> {
  system.sleep(ms);
}

export async function setImmediate(): Promise<void> {
  await undefined;
}

export async function readFile(path: string, encoding?: string): Promise<string | Uint8Array> {
  return readFileSync(path, encoding);
}

export function fileURLToPath(url: { readonly pathname: string }): string {
  return url.pathname;
}
