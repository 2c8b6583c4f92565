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
import type { Draft } from './draft.ts';

/** With no_new_privs the filter comes last, so that it need not allow what a birth does. */
export function planLateSeccomp(draft: Draft, spec: RuntimeSpec): void {
  if (spec.process?.noNewPrivileges === true) planSeccomp(draft, spec, 'start');
}

/** Without it, before the user and the capabilities change. */
export function planEarlySeccomp(draft: Draft, spec: RuntimeSpec): void {
  if (spec.process?.noNewPrivileges !== true) planSeccomp(draft, spec, 'rights');
}

function planSeccomp(draft: Draft, spec: RuntimeSpec, phase: 'rights' | 'start'): void {
  const profile = spec.linux?.seccomp;
  if (profile === undefined) return;
  const { program, flags, warnings } = compileSeccomp(profile);
  for (const warning of warnings) draft.warn(warning);
  draft.add(
    phase,
    { pointer: '/linux/seccomp', reason: 'from here on the kernel checks every system call against the profile' },
    { op: 'seccomp', program, flags },
  );
}
