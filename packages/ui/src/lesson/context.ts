/**
 * What the elements of a lesson can see and do.
 *
 * Knows: the interface between lesson text and the page around it. Does not know: how the page does it.
 */
import type { LessonDocument, PanelName } from '@slipway/lessons/types';
import { createContext, useContext } from 'react';

export interface TaskState {
  readonly status: 'open' | 'passed' | 'regressed';
  /** What the check saw and expected, in a sentence. */
  readonly saw?: string;
  /** Hints already given, first grade first. */
  readonly hints: readonly string[];
  /** How many were asked for, in any visit; texts may have to be fetched again. */
  readonly hintsShown: number;
  readonly solution?: readonly string[];
}

export interface QuizState {
  readonly option: number;
  readonly correct: boolean;
  readonly explanation: string;
}

export interface LessonScene {
  readonly document: LessonDocument;
  readonly tasks: ReadonlyMap<string, TaskState>;
  readonly quiz: ReadonlyMap<string, QuizState>;
  /** Whether a terminal is there to type into. */
  readonly canRun: boolean;
  /** Types the line and presses Enter. */
  readonly run: (command: string) => void;
  readonly openPanel: (panel: PanelName) => void;
  readonly askHint: (task: string, grade: number) => Promise<void>;
  readonly askSolution: (task: string) => Promise<void>;
  readonly answer: (question: string, option: number) => Promise<void>;
}

export const LessonContext = createContext<LessonScene | undefined>(undefined);

export function useLesson(): LessonScene {
  const scene = useContext(LessonContext);
  if (!scene) throw new Error('a lesson element was drawn outside of a lesson');
  return scene;
}
