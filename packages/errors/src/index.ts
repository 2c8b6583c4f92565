export {
  EngineError,
  type EngineErrorInit,
  type ErrorKind,
  findEngineError,
  hasCode,
  type Issue,
  isErrorKind,
  isKind,
} from './engine-error.ts';
export { Rollback } from './rollback.ts';
