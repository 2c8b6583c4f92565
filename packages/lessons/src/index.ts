export { groupsNow, groupsSeen, isHandMade } from './cgroup-facts.ts';
export { containerNamed, defineLab, failed, inWords, isImage, passed, requests, runningSince } from './define-lab.ts';
export { evaluateLab, type TaskState } from './evaluate.ts';
export { argument, callsMade, type Descent, descent, type MadeCall, programsStarted } from './kernel-facts.ts';
export { disksNow, overlaysNow } from './layer-facts.ts';
export { type Lesson, type LessonFiles, type LessonFolders, loadLessons } from './load.ts';
export { type ParsedLesson, parseLesson } from './parse.ts';
export { apartIn, apartInWords, ownProcesses, processInWords } from './process-facts.ts';
export { isAnswered, isByHand, type RegistryVisit, registryVisits, type StoreSpan, storeSpans } from './registry-facts.ts';
export { builds, done, firstWith, payload, type SeenBuild, spansUnder } from './span-facts.ts';
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
