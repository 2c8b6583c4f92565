/**
 * `npm run lab -- …`: an author's tools, and the acceptance run of all labs.
 *
 *     npm run lab -- check                 lessons and labs agree (no root)
 *     npm run lab -- solve 01 | all        solutions pass, decoys fail, in real machines, typed into real terminals
 *
 * Knows: arguments, signals, exit codes (0 good, 1 something failed, 2 usage).
 * Does not know: how a lab is made (lab-cli/disposable-lab.ts) or judged (lab-cli/solve.ts).
 */
import { EngineError, findEngineError } from '@slipway/errors';
import type { Lesson } from '@slipway/lessons';
import { CHECKOUT } from './host-parts.ts';
import { checkLessons } from './lab-cli/check.ts';
import { openDisposableLab } from './lab-cli/disposable-lab.ts';
import { Report } from './lab-cli/report.ts';
import { solveLesson } from './lab-cli/solve.ts';

const USAGE = 'usage: npm run lab -- check\n       npm run lab -- solve NUMBER|SLUG|all …\n';
const FOLDERS = { contentDir: `${CHECKOUT}/content`, labsDir: `${CHECKOUT}/labs`, locale: 'en' };

async function main(): Promise<number> {
  const [command, ...names] = process.argv.slice(2);
  const report = new Report((text) => process.stdout.write(text));
  if (command === 'check' && names.length === 0) {
    await checkLessons(FOLDERS, report);
  } else if (command === 'solve' && names.length > 0) {
    await solve(names, report);
  } else {
    process.stderr.write(USAGE);
    return 2;
  }
  return report.end();
}

async function solve(names: readonly string[], report: Report): Promise<void> {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort(new EngineError('unavailable', 'stopped by a signal', { code: 'E_STOPPED', op: 'lab.solve' }));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  const lab = await openDisposableLab(FOLDERS, stopping.signal);
  try {
    for (const lesson of choose(lab.lessons, names)) await solveLesson(lab, lesson, report);
  } finally {
    await lab.end();
  }
}

/** @throws EngineError `not-found` / `E_NO_LESSON` */
function choose(lessons: readonly Lesson[], names: readonly string[]): readonly Lesson[] {
  if (names.includes('all')) return lessons;
  return names.map((name) => {
    const found = lessons.find(({ document: { meta } }) => meta.number === name || meta.slug === name);
    if (found !== undefined) return found;
    throw new EngineError('not-found', `no lesson "${name}"`, {
      code: 'E_NO_LESSON',
      op: 'lab.choose',
      hint: `there are: ${lessons.map(({ document: { meta } }) => meta.number).join(', ')}`,
    });
  });
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const known = findEngineError(error);
    const text = known === undefined ? String(error instanceof Error ? error.stack : error) : `lab: ${known.message}`;
    process.stderr.write(`${text}\n${known?.hint === undefined ? '' : `  try: ${known.hint}\n`}`);
    process.exit(1);
  },
);
