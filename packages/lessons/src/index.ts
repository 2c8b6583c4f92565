export { containerNamed, defineLab, failed, inWords, isImage, passed, programsStarted, requests, runningSince } from './define-lab.ts';
export { evaluateLab, type TaskState } from './evaluate.ts';
export { type Lesson, type LessonFiles, type LessonFolders, loadLessons } from './load.ts';
export { type ParsedLesson, parseLesson } from './parse.ts';
export type {
  Check,
  CheckResult,
  CheckView,
  Decoy,
  Lab,
  LabTask,
  LessonDocument,
  LessonMeta,
  LessonNode,
  LessonTag,
  PanelName,
  QuizQuestion,
} from './types.ts';
