import { defineLab, failed, type Lesson, passed } from '@slipway/lessons';
import { expect, test } from 'vitest';
import type { Attempt, DisposableLab } from './disposable-lab.ts';
import { Report } from './report.ts';
import { solveLesson } from './solve.ts';

const check = () => failed('nothing', 'something');
const hints = ['', '', ''] as const;
const LAB = defineLab({
  lesson: 'doors',
  setup: [],
  tasks: [
    { id: 'open', title: 'Open', check, latch: true, hints, solution: ['push'] },
    { id: 'walk', title: 'Walk', check: () => passed, latch: true, hints, solution: ['step', 'step'] },
  ],
  decoys: [
    { name: 'pulls', task: 'open', lines: ['pull'] },
    { name: 'waits', task: 'walk', lines: ['wait'] },
  ],
  quiz: [],
});
const META = { number: '09', slug: 'doors', title: 'Doors', summary: '', track: '', minutes: 1, panels: [], claims: [] };
const LESSON: Lesson = { lab: LAB, document: { meta: META, body: [], tasks: [], quiz: [], glossary: {} } };

/** A machine whose tasks are what `passes` says after the lines typed so far, and which refuses the lines `failing`. */
function standInLab(
  passes: (task: string, typed: readonly string[]) => boolean,
  failing: readonly string[] = [],
): DisposableLab & { readonly machines: string[][] } {
  const machines: string[][] = [];
  const fresh = async (): Promise<Attempt> => {
    const typed: string[] = [];
    machines.push(typed);
    const typist: Attempt['typist'] = {
      line: async (line) => void typed.push(line),
      status: async () => (failing.includes(typed.at(-1) ?? '') ? 127 : 0),
      lastLines: () => typed,
      close: () => undefined,
    };
    return { typist, task: (id) => ({ passed: passes(id, typed), saw: 'a closed door' }) };
  };
  return { lessons: [LESSON], signal: new AbortController().signal, fresh, end: async () => undefined, machines };
}

async function outcome(lab: DisposableLab, lesson = LESSON): Promise<{ readonly code: number; readonly text: string }> {
  let text = '';
  const report = new Report((more) => {
    text += more;
  });
  await solveLesson(lab, lesson, report, { passMs: 60, settleMs: 10 });
  return { code: report.end(), text };
}

const honest = (task: string, typed: readonly string[]) => typed.includes(task === 'open' ? 'push' : 'step');

test('a lab whose solution passes and whose decoys do not: each tried in the right machine', async () => {
  const lab = standInLab(honest);
  const { code, text } = await outcome(lab);
  expect(text).toContain('5 passed, 0 failed');
  expect(code).toBe(0);
  expect(lab.machines).toEqual([['push', 'step', 'step'], ['pull'], ['wait']]);
});

test('a check that always passes fails the untouched machine and the decoy', async () => {
  const { code, text } = await outcome(standInLab((task, typed) => task === 'walk' || honest(task, typed)));
  expect(code).toBe(1);
  expect(text).toContain('walk passes with nothing done');
  expect(text).toMatch(/✗ decoy for walk: waits/);
  expect(text).toContain('3 passed, 2 failed');
});

test('a decoy that fails for a reason of its own is no proof, unless that is its point', async () => {
  const { code, text } = await outcome(standInLab(honest, ['pull', 'push']));
  expect(code).toBe(1);
  expect(text).toMatch(/✗ decoy for open: pulls.*\n {6}ended with 127: pull\n/);
  expect(text).toContain('4 passed, 1 failed');

  const [pulls, waits] = LAB.decoys.map((decoy) => ({ ...decoy, failsByDesign: true as const }));
  const decoys = [pulls, waits].filter((decoy) => decoy !== undefined);
  const marked = await outcome(standInLab(honest, ['pull']), { ...LESSON, lab: { ...LAB, decoys } });
  expect(marked.text).toMatch(/✗ decoy for walk: waits.*\n {6}every line of it succeeds, and one should not\n/);
  expect(marked.text).toContain('4 passed, 1 failed');
});

test('a solution that does not solve is told with what was seen', async () => {
  const { code, text } = await outcome(standInLab((task, typed) => task === 'walk' && honest(task, typed)));
  expect(code).toBe(1);
  expect(text).toMatch(/✗ task open[\s\S]*a closed door/);
  expect(text).toContain('4 passed, 1 failed');
});
