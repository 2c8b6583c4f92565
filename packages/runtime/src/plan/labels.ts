/**
 * Labels of the kernel's security modules: which AppArmor profile, which SELinux context the process has.
 *
 * Knows: the file of /proc that takes each, and that a kernel without the module must be an error.
 * Does not know: profiles and contexts; the kernel refuses an unknown one.
 *
 * @spec runtime-spec/config.md#linux-process
 */
import type { RuntimeSpec } from '@slipway/oci';
import { type Draft, unsupported } from './draft.ts';
import type { HostFacts } from './host.ts';

/** Both take effect at execve, so everything before it is done without them. */
export function planLabels(draft: Draft, { process }: RuntimeSpec, host: HostFacts): void {
  const { apparmorProfile: profile = '', selinuxLabel: label = '' } = process ?? {};
  if (profile !== '') {
    requireModule(host, 'apparmor', '/process/apparmorProfile', 'AppArmor');
    const origin = { pointer: '/process/apparmorProfile', reason: 'what the process may reach, by the profile of this name' };
    draft.add('rights', origin, { op: 'securityLabel', attribute: 'apparmor/exec', value: `exec ${profile}` });
  }
  if (label !== '') {
    requireModule(host, 'selinux', '/process/selinuxLabel', 'SELinux');
    const origin = { pointer: '/process/selinuxLabel', reason: 'what the process may reach, by its security context' };
    draft.add('rights', origin, { op: 'securityLabel', attribute: 'exec', value: label });
  }
}

function requireModule(host: HostFacts, module: string, pointer: string, name: string): void {
  if (host.securityModules.includes(module)) return;
  throw unsupported(pointer, `${pointer.slice(1).replaceAll('/', '.')} needs ${name}, which this kernel does not run`);
}
