/**
 * A dialect in one file (scripts/bundle-commands.mjs), which starts several times as fast as its sources.
 *
 * Knows: when that file still says what the sources say.
 * Does not know: what is in it.
 */
import { readFileSync, statSync } from 'node:fs';

const ROOT = new URL('../../../', import.meta.url);
const BUNDLES = new URL('../build/', import.meta.url);

/** The module's exports; undefined when there is none, or when a source has changed since it was made. */
export async function importBundled(name: string): Promise<unknown> {
  return isCurrent(name) ? await import(new URL(`${name}.mjs`, BUNDLES).href) : undefined;
}

function isCurrent(name: string): boolean {
  try {
    const inputs: readonly (readonly [path: string, mtimeMs: number, size: number])[] = JSON.parse(
      readFileSync(new URL(`${name}.json`, BUNDLES), 'utf8'),
    );
    const root = ROOT.pathname;
    return inputs.every(([path, mtimeMs, size]) => {
      const found = statSync(root + path, { throwIfNoEntry: false });
      return found?.mtimeMs === mtimeMs && found.size === size;
    });
  } catch {
    return false; // never made, or half-written: the sources are always there
  }
}
