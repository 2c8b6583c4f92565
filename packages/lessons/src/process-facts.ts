/**
 * What a check can ask about the processes that are there, from the host's pictures of them.
 *
 * Knows: which processes are the learner's own, which namespaces one has for itself, how to name one in a sentence.
 * Does not know: which lab asks.
 */
import type { NamespaceName, ProcessFact } from '@slipway/journal/types';
import type { CheckView } from './types.ts';

/** Ids as the engine gives them; names that a learner chose for a group or a runtime's container never look so. */
const ENGINE_ID = /^[0-9a-f]{64}$/;

/** The engine's launchers, which may stand ready in namespaces before anybody asked for a container. */
const LAUNCHER = /^slipway-/;

/** Processes that are neither the engine's own nor in one of its containers, and have not ended. */
export function ownProcesses(view: CheckView): readonly ProcessFact[] {
  return view.processes.filter(({ pid, comm, role, state, container }) => {
    const isEngines = role === 'engine' || role === 'shim' || LAUNCHER.test(comm) || ENGINE_ID.test(container ?? '');
    return pid !== 1 && !isEngines && !/^[ZX]/.test(state ?? '');
  });
}

/** Kinds of namespaces that a process does not share with the machine. */
export function apartIn(view: CheckView, { namespaces }: ProcessFact): readonly NamespaceName[] {
  return (Object.keys(namespaces) as NamespaceName[]).filter((kind) => {
    const machine = view.machineNamespaces[kind];
    return machine !== undefined && namespaces[kind] !== machine;
  });
}

/** `sleep (pid 214)`. */
export function processInWords({ comm, pid }: ProcessFact): string {
  return `${comm} (pid ${pid})`;
}

/** `its own uts and ipc namespaces`, or `no namespace of its own`. */
export function apartInWords(kinds: readonly NamespaceName[]): string {
  if (kinds.length === 0) return 'no namespace of its own';
  const list = kinds.length === 1 ? kinds[0] : `${kinds.slice(0, -1).join(', ')} and ${kinds.at(-1)}`;
  return `its own ${list} namespace${kinds.length === 1 ? '' : 's'}`;
}
