import type { JournalEvent, Span } from '@slipway/journal/types';
import { expect, test } from 'vitest';
import { builds, firstWith } from './span-facts.ts';
import type { CheckView } from './types.ts';

let count = 0;

function view(...spans: readonly (Partial<Span> & Pick<Span, 'name'>)[]): CheckView {
  const events = spans.map((span): JournalEvent => {
    const seq = ++count;
    const whole: Span = { id: `s${seq}`, trace: 't', actor: 'engine', startMs: seq, endMs: seq, ...span };
    return { type: 'span', span: whole, seq, atMs: seq, origin: 'machine' } as JournalEvent;
  });
  return { containers: [], everSeen: [], processes: [], layers: [], events, earlier: [], machineNamespaces: {} };
}

const step = (id: string, instruction: string, response: object): Partial<Span> & Pick<Span, 'name'> => ({
  id,
  parent: 'stage',
  name: 'build.step',
  request: JSON.stringify({ stage: 0, line: 1, instruction }),
  response: JSON.stringify(response),
});

test('a build is its names and steps, in their order; one that failed or goes on is none', () => {
  const seen = view(
    step('1', 'COPY . /app', { cached: false, layer: { diffId: 'sha256:d', digest: 'sha256:b', sizeBytes: 1 } }),
    step('2', 'CMD ["x"]', {}),
    { id: 'stage', parent: 'build', name: 'build.stage' },
    { id: 'build', name: 'build', request: '{"names":["app"]}', response: '{"id":"sha256:i"}' },
    { name: 'build', error: { code: 'E_BUILD_STEP', message: 'line 1' } },
  );
  expect(builds(seen)).toEqual([
    {
      image: 'sha256:i',
      names: ['app'],
      steps: [{ instruction: 'COPY . /app', cached: false, diffId: 'sha256:d' }, { instruction: 'CMD ["x"]' }],
    },
  ]);
});

test('a payload that was cut off counts as none', () => {
  expect(builds(view({ name: 'build', request: '{"names":["ap', response: '{"id":"sha256:i"}' }))).toEqual([
    { image: 'sha256:i', names: [], steps: [] },
  ]);
});

test('what an image came from is the first span whose answer names it', () => {
  const seen = view(
    { name: 'image.load', response: 'sha256:i', startMs: 5, endMs: 9 },
    { name: 'build', response: 'sha256:i', startMs: 1, endMs: 4 },
  );
  expect(firstWith(seen, 'sha256:i')?.name).toBe('build');
  expect(firstWith(seen, 'sha256:other')).toBeUndefined();
});
