/**
 * When the system call filter is installed.
 *
 * Knows: that without no_new_privs the kernel wants CAP_SYS_ADMIN for it, which is gone once capabilities are dropped.
 * Does not know: how rules become a program.
 *
 * @spec runtime-spec/config-linux.md#seccomp
 * @see seccomp(2)
 */
import type { RuntimeSpec } from '@slipway/oci';
import { compileSeccomp } from '../seccomp/index.ts';
import { type Draft, invalid } from './draft.ts';

/** Who an agent is told the filter is for. */
export interface SeccompSubject {
  readonly id: string;
  readonly bundle: string;
  readonly status: 'creating' | 'running';
  /** Of the container's first process, where that is not the one the filter is for. */
  readonly pid?: number;
}

/** With no_new_privs the filter comes last, so that it need not allow what a birth does. */
export function planLateSeccomp(draft: Draft, spec: RuntimeSpec, subject: SeccompSubject): void {
  if (spec.process?.noNewPrivileges === true) planSeccomp(draft, spec, 'start', subject);
}

/** Without it, before the user and the capabilities change. */
export function planEarlySeccomp(draft: Draft, spec: RuntimeSpec, subject: SeccompSubject): void {
  if (spec.process?.noNewPrivileges !== true) planSeccomp(draft, spec, 'rights', subject);
}

function planSeccomp(draft: Draft, spec: RuntimeSpec, phase: 'rights' | 'start', subject: SeccompSubject): void {
  const profile = spec.linux?.seccomp;
  if (profile === undefined) return;
  const { program, flags, notifies, warnings } = compileSeccomp(profile);
  for (const warning of warnings) draft.warn(warning);
  if (!notifies) {
    const origin = { pointer: '/linux/seccomp', reason: 'from here on the kernel checks every system call against the profile' };
    draft.add(phase, origin, { op: 'seccomp', program, flags });
    return;
  }
  const { listenerPath = '' } = profile;
  const pointer = '/linux/seccomp/listenerPath';
  if (listenerPath === '') throw invalid(pointer, 'is missing, and SCMP_ACT_NOTIFY needs an agent to answer');
  const slot = draft.openListener({ pointer, reason: 'the agent that will decide some of its calls' }, listenerPath);
  const origin = { pointer: '/linux/seccomp', reason: 'from here on the kernel checks every system call, and asks the agent about some' };
  draft.add(phase, origin, { op: 'seccompNotify', program, flags, slot, state: processState(spec, subject) });
}

/** The message to the agent, cut where the pid goes. @spec runtime-spec/config-linux.md#the-container-process-state, runtime-spec/config-linux.md#seccomp */
function processState(spec: RuntimeSpec, { id, bundle, status, pid }: SeccompSubject): readonly string[] {
  const { ociVersion, annotations } = spec;
  const metadata = spec.linux?.seccomp?.listenerMetadata;
  const cut = '\0';
  const state = { ociVersion, id, status, pid: pid ?? cut, bundle, annotations };
  return JSON.stringify({ ociVersion, fds: ['seccompFd'], pid: cut, metadata, state }).split(JSON.stringify(cut));
}
