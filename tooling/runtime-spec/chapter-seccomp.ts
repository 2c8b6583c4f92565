/** Normative statements of the runtime specification's config-linux.md about seccomp. @see statements.ts */
import type { Chapter } from './statements.ts';

export const SECCOMP: Chapter['statements'] = {
  'seccomp/default-action': { must: 'there is a default action' },
  'seccomp/default-errno': { must: 'an error number for a default action that has none is an error' },
  'seccomp/rule-names': { must: 'a rule names at least one call' },
  'seccomp/rule-action': { must: 'a rule has an action' },
  'seccomp/rule-errno': { must: 'an error number for an action that has none is an error' },
  'seccomp/argument-fields': { must: 'a comparison has index, value and operator' },
  'seccomp/enforced': { must: 'calls are answered as the rules say' },
  'seccomp/listener-socket': { must: 'the listener is a stream socket of the unix family' },
  'seccomp/listener-once': { must: 'a connection carries one process state and is closed then' },
  'seccomp/listener-failure': { must: 'a state that cannot be sent is an error' },
  'seccomp/listener-metadata': { must: 'metadata comes only with a listener' },
  'the-container-process-state/sent': { must: 'the state travels as JSON with its descriptors, in the first message' },
};
