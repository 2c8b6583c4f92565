import type { LessonSummary } from '@slipway/contracts';
import { expect, test } from 'vitest';
import { countTasks, stageOf, tracksOf } from './tracks.ts';

const lesson = (number: string, track: string, passed: number, tasks = 4): LessonSummary => ({
  number,
  slug: `lesson-${number}`,
  title: '',
  summary: '',
  track,
  minutes: 10,
  tasks,
  passed,
});
const LESSONS = [lesson('01', 'First', 4), lesson('02', 'First', 1), lesson('08', 'Second', 0, 7)];

test('lessons stand below their track, which counts their tasks', () => {
  const tracks = tracksOf(LESSONS);
  expect(tracks.map(({ title, lessons, tasks, passed }) => [title, lessons.map(({ number }) => number), passed, tasks])).toEqual([
    ['First', ['01', '02'], 5, 8],
    ['Second', ['08'], 0, 7],
  ]);
  expect(countTasks(LESSONS)).toEqual({ tasks: 15, passed: 5 });
  expect(tracksOf([])).toEqual([]);
});

test('a lesson is open, begun or done', () => {
  expect(LESSONS.map(stageOf)).toEqual(['done', 'begun', 'open']);
});
