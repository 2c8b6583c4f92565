import { failed, type Lab, passed } from '@slipway/lessons';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Checker } from './checker.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const notice = (seq: number) => ({ type: 'notice', level: 'info', text: 'x', seq, atMs: seq, origin: 'host' }) as const;

/** One task, done when the journal has two events; each look at it takes this long by the clock. */
function slowLab(lookMs: number): Lab {
  const check: Lab['tasks'][number]['check'] = ({ events }) => {
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + lookMs);
    return events.length > 1 ? passed : failed('one event', 'two');
  };
  const task = { id: 't', title: 'T', check, latch: true, hints: ['1', '2', '3'], solution: [] } as const;
  return { lesson: 'l', setup: [], tasks: [task], decoys: [], quiz: [] };
}

test('a host that stood still for a minute during a look delays the next one by seconds', () => {
  const statuses: string[] = [];
  const checker = new Checker({ onChange: (_, changed) => statuses.push(...changed.map(({ status }) => status)) });
  checker.take([notice(1)]);
  checker.open('l', { lab: slowLab(60_000), afterSeq: 0, before: [] });
  vi.advanceTimersByTime(100);
  expect(statuses).toEqual(['open']);

  checker.take([notice(2)]);
  vi.advanceTimersByTime(100);
  expect(statuses).toEqual(['open']); // a costly look is not repeated at once
  vi.advanceTimersByTime(2000);
  expect(statuses).toEqual(['open', 'passed']);
  checker.stop();
});
