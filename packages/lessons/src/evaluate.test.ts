import { expect, test } from 'vitest';
import { evaluateLab } from './evaluate.ts';
import type { CheckView, Lab, LabTask } from './types.ts';

const EMPTY: CheckView = { containers: [], everSeen: [], processes: [], layers: [], events: [], earlier: [], machineNamespaces: {} };

function labWith(task: Partial<LabTask>): Lab {
  const base: LabTask = { id: 't', title: 'T', check: () => ({ passed: true }), latch: false, hints: ['a', 'b', 'c'], solution: [] };
  return { lesson: 'l', setup: [], tasks: [{ ...base, ...task }], decoys: [], quiz: [] };
}

test('an open task says what was seen and what was expected', () => {
  const lab = labWith({ check: () => ({ passed: false, saw: 'nothing running', expected: 'a container' }) });

  expect(evaluateLab(lab, EMPTY, new Map())).toEqual([
    { task: 't', status: 'open', saw: 'I see nothing running. I am looking for a container.' },
  ]);
});

test('a state that stops holding regresses; an act that was done stays done', () => {
  const check = () => ({ passed: false, saw: 'x', expected: 'y' }) as const;
  const before = new Map([['t', { task: 't', status: 'passed' } as const]]);

  expect(evaluateLab(labWith({ check, latch: false }), EMPTY, before)[0]?.status).toBe('regressed');
  expect(evaluateLab(labWith({ check, latch: true }), EMPTY, before)[0]?.status).toBe('passed');
});

test('a check that throws leaves its task open and the others alone', () => {
  const lab = labWith({
    check: () => {
      throw new Error('author error');
    },
  });

  expect(evaluateLab(lab, EMPTY, new Map())[0]).toMatchObject({ status: 'open', saw: expect.stringContaining('author error') });
});
