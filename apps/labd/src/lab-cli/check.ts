/**
 * Validates every lesson by itself, so that one run shows what is wrong with each.
 *
 * Knows: the order, and how issues are shown. Does not know: what is valid (@slipway/lessons).
 */
import { findEngineError } from '@slipway/errors';
import { type LessonFolders, loadLessons } from '@slipway/lessons';
import { LESSON_FILES } from '../lessons/library.ts';
import type { Report } from './report.ts';

export async function checkLessons(folders: LessonFolders, report: Report): Promise<void> {
  const names = await LESSON_FILES.list(`${folders.contentDir}/${folders.locale}`);
  for (const name of names.filter((entry) => entry.endsWith('.mdx')).sort()) {
    const started = performance.now();
    const problems = await loadLessons({ ...LESSON_FILES, list: async () => [name] }, folders).then(() => [], describe);
    report.add(name, performance.now() - started, problems);
  }
}

function describe(failure: unknown): string[] {
  const known = findEngineError(failure);
  if (known === undefined) return [String(failure)];
  return known.issues === undefined || known.issues.length === 0
    ? [known.message]
    : known.issues.map(({ path, message }) => `${path} ${message}`);
}
