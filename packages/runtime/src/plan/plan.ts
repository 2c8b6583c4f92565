/**
 * `plan(spec, host)`: a config.json becomes an ordered list of operations.
 *
 * Knows: which part plans which field, and that nothing the document asks for is left out in silence.
 * Does not know: how an operation is performed (packages/launcher), nor how the facts were found (detect-host.ts).
 *
 * @spec runtime-spec/config.md, runtime-spec/config-linux.md
 */
import type { RuntimeSpec, SpecProcess } from '@slipway/oci';
import { planConsole } from './console.ts';
import { planDevices } from './devices.ts';
import { Draft, type RuntimePlan } from './draft.ts';
import { planEntry } from './exec.ts';
import { planBirthHooks } from './hooks.ts';
import type { ContainerFacts, Host, HostFacts } from './host.ts';
import { planMounts } from './mounts.ts';
import { planNamespaces } from './namespaces.ts';
import { planRights } from './rights.ts';
import { planRoot } from './root.ts';
import { planSettings } from './settings.ts';
import { planStart } from './start.ts';
import { requireSupported } from './supported.ts';

/**
 * Plans the birth of a container up to the execve of its first process.
 *
 * Pure: the same document and facts give the same plan, on any machine. `spec` has been validated.
 *
 * @throws `unsupported` naming a field this engine does not act on; `permission-denied` naming the right that an explicit
 *   request needs and we lack; `invalid-argument` for values that cannot work here
 */
export function plan(spec: RuntimeSpec, host: Host): RuntimePlan {
  requireSupported(spec);
  const draft = new Draft();
  planNamespaces(draft, spec, host);
  planMounts(draft, spec, host);
  planDevices(draft, spec, host);
  planConsole(draft, spec.process, host.consoleSize);
  planSettings(draft, spec);
  planBirthHooks(draft, spec, host);
  planRoot(draft, spec, host);
  const subject = { id: host.id, bundle: host.bundle, status: 'creating' } as const;
  planRights(draft, spec, host, subject);
  planStart(draft, spec, { awaitStart: host.startsAtOnce !== true, subject, hooks: host });
  return draft.finish();
}

/**
 * Plans a further process in a running container: its namespaces, its cgroup, then rights and execve.
 *
 * `spec` is the container's own document: user namespace, seccomp and what `process` leaves out come from there.
 *
 * @throws as {@link plan}
 */
export function planExec(process: SpecProcess, spec: RuntimeSpec, host: HostFacts, container: ContainerFacts): RuntimePlan {
  const draft = new Draft();
  const asIf: RuntimeSpec = { ...spec, process };
  requireSupported(asIf);
  planEntry(draft, asIf, host, container);
  planConsole(draft, process);
  const { id, bundle, pid } = container;
  const subject = { id, bundle, pid, status: 'running' } as const;
  planRights(draft, asIf, host, subject);
  planStart(draft, asIf, { awaitStart: container.holdBack === true, subject });
  return draft.finish();
}
