export {
  Failure,
  Hint,
  HintRequest,
  LessonListing,
  LessonSummary,
  type LessonView,
  LoginRequest,
  MachineStatus,
  QuizAnswer,
  QuizVerdict,
  Session,
  Solution,
  TaskProgress,
  TaskRequest,
  TerminalInfo,
  TerminalListing,
} from './session.ts';
export { ClientMessage, type ServerMessage } from './socket.ts';
