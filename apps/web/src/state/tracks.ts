/**
 * The lessons as a table of contents: by track, with how far each track is.
 *
 * Knows: lessons come in order, those of a track together. Pure.
 * Does not know: how it is drawn.
 */
import type { LessonSummary } from '@slipway/contracts';

export interface Track {
  readonly title: string;
  readonly lessons: readonly LessonSummary[];
  readonly tasks: number;
  readonly passed: number;
}

/** Tracks in the order of their first lessons. */
export function tracksOf(lessons: readonly LessonSummary[]): readonly Track[] {
  return [...Map.groupBy(lessons, ({ track }) => track)].map(([title, members]) => ({ title, lessons: members, ...countTasks(members) }));
}

export function countTasks(lessons: readonly LessonSummary[]): { readonly tasks: number; readonly passed: number } {
  const sum = (pick: (lesson: LessonSummary) => number): number => lessons.reduce((total, lesson) => total + pick(lesson), 0);
  return { tasks: sum(({ tasks }) => tasks), passed: sum(({ passed }) => passed) };
}

/** How far a lesson is: what its mark says. */
export function stageOf({ tasks, passed }: LessonSummary): 'open' | 'begun' | 'done' {
  if (passed === 0) return 'open';
  return passed >= tasks ? 'done' : 'begun';
}
