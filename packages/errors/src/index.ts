export { EngineError, type EngineErrorInit, type ErrorKind, findEngineError, hasCode, type Issue, isKind } from './engine-error.ts';
export { Rollback } from './rollback.ts';
