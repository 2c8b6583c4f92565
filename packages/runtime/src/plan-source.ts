/**
 * Where in plan/ an operation is planned, so that a picture can link to the lines.
 *
 * Knows: that a planner writes an operation down as `op: 'NAME'`.
 * Does not know: why it is planned.
 */
import { hostControlFiles } from '@slipway/kernel';

const DIRECTORY = new URL('./plan/', import.meta.url);
const SOURCE_MAX_BYTES = 1_048_576;

let lines: ReadonlyMap<string, readonly string[]> | undefined;

/**
 * `packages/runtime/src/plan/root.ts:34` for `pivotRoot`, every place where there are several; empty for an unknown operation.
 * The sources are read at the first call, so the lines are the running checkout's own.
 */
export function planSources(op: string): readonly string[] {
  lines ??= readPlanners();
  return lines.get(op) ?? [];
}

function readPlanners(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const file of hostControlFiles.list(DIRECTORY.pathname).sort()) {
    if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue;
    const text = hostControlFiles.read(`${DIRECTORY.pathname}${file}`, SOURCE_MAX_BYTES);
    for (const [index, line] of text.split('\n').entries()) {
      for (const [, op = ''] of line.matchAll(/\bop: '([A-Za-z]+)'/g)) {
        if (/[|]|Extract</.test(line)) continue; // a type, not a plan
        found.set(op, [...(found.get(op) ?? []), `packages/runtime/src/plan/${file}:${index + 1}`]);
      }
    }
  }
  return found;
}
