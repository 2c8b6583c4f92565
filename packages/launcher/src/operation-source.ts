/**
 * Where in native/ an operation is performed, so that a picture can link to the lines.
 *
 * Knows: that each operation is one C function, `op_` and its name.
 * Does not know: what an operation does.
 */
import { readdirSync, readFileSync } from 'node:fs';

const NATIVE = new URL('../native/', import.meta.url);
const DEFINITION = /^int op_([a-z0-9_]+)\(/;

let lines: ReadonlyMap<string, string> | undefined;

/**
 * `packages/launcher/native/mounts.c:174` for `mount`; undefined for an unknown operation, and where the sources are not installed.
 * The sources are read at the first call, so the line is the running checkout's own.
 */
export function operationSource(op: string): string | undefined {
  lines ??= readDefinitions();
  return lines.get(op.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
}

function readDefinitions(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const file of listSources()) {
    const text = readFileSync(new URL(file, NATIVE), 'utf8');
    for (const [index, line] of text.split('\n').entries()) {
      const name = DEFINITION.exec(line)?.[1];
      if (name !== undefined) found.set(name, `packages/launcher/native/${file}:${index + 1}`);
    }
  }
  return found;
}

function listSources(): readonly string[] {
  try {
    return readdirSync(NATIVE).filter((file) => file.endsWith('.c'));
  } catch {
    return []; // an installation without sources
  }
}
