import { expect, test } from 'vitest';
import { type Ingredients, StepMemory, type StepPlace } from './step-memory.ts';

const place: StepPlace = { build: 'app', stage: 0, ordinal: 2, text: 'COPY . /app' };
const before: Ingredients = {
  above: 'sha256:1',
  parts: { command: ['make'], environment: { A: '1' }, user: undefined },
  files: [
    ['/app/a', '1'],
    ['/app/b', '2'],
  ],
};

test.each([
  ['nothing, so that its result must have been dropped', {}, { reason: 'gone' }],
  ['what it stands on', { above: 'sha256:2' }, { reason: 'above' }],
  [
    'a setting',
    { parts: { command: ['make'], environment: { A: '2' }, user: undefined } },
    { reason: 'settings', detail: ['environment'] },
  ],
  [
    'files',
    {
      above: 'sha256:2',
      files: [
        ['/app/a', '9'],
        ['/app/c', '2'],
      ],
    },
    { reason: 'files', detail: ['/app/a', '/app/c (new)', '/app/b (gone)'] },
  ],
] as const)('a step is done again because of %s', (_what, change, miss) => {
  const memory = new StepMemory();
  memory.remember(place, before);
  expect(memory.explain(place, { ...before, ...change })).toEqual(miss);
});

test('a step that was never seen is the first; one in another’s place has another instruction', () => {
  const memory = new StepMemory();
  expect(memory.explain(place, before)).toEqual({ reason: 'first' });
  memory.remember(place, before);
  expect(memory.explain({ ...place, text: 'COPY src /app' }, before)).toEqual({ reason: 'instruction', detail: ['COPY . /app'] });
  expect(memory.explain({ ...place, ordinal: 5 }, { ...before, above: 'sha256:2' })).toEqual({ reason: 'above' });
  expect(memory.explain({ ...place, build: 'other' }, before)).toEqual({ reason: 'first' });
});

test('many changed files are counted, and no more steps are remembered than there is room for', () => {
  const memory = new StepMemory();
  memory.remember(place, { parts: {}, files: [] });
  const files = Array.from({ length: 9 }, (_, at) => [`/f${at}`, 'x'] as const);
  expect(memory.explain(place, { parts: {}, files }).detail).toEqual([
    '/f0 (new)',
    '/f1 (new)',
    '/f2 (new)',
    '/f3 (new)',
    '/f4 (new)',
    '4 more',
  ]);
  for (let ordinal = 10; ordinal < 600; ordinal++) memory.remember({ ...place, ordinal, text: `RUN ${ordinal}` }, before);
  expect(memory.explain(place, { parts: {}, files })).toEqual({ reason: 'first' });
});
