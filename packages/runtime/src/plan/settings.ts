/**
 * Names, network loopback and kernel parameters of the new namespaces.
 *
 * Knows: which kernel parameters belong to a namespace, so that none of the host can be set from a document.
 * Does not know: addresses or routes; those are the engine's.
 *
 * @spec runtime-spec/config-linux.md#sysctl
 */
import type { NamespaceKind } from '@slipway/launcher';
import type { RuntimeSpec } from '@slipway/oci';
import { type Draft, invalid } from './draft.ts';
import { hasOwn, namespacesOf } from './namespaces.ts';

const IPC_KEYS: ReadonlySet<string> = new Set(
  ['msgmax', 'msgmnb', 'msgmni', 'sem', 'shmall', 'shmmax', 'shmmni', 'shm_rmid_forced'].map((name) => `kernel.${name}`),
);

/** @spec runtime-spec/config.md#hostname, runtime-spec/config.md#domainname */
export function planSettings(draft: Draft, spec: RuntimeSpec): void {
  const { hostname = '', domainname = '' } = spec;
  if (hostname !== '') {
    requireUts(spec, '/hostname');
    draft.add('settings', { pointer: '/hostname', reason: 'the name programs see for this machine' }, { op: 'hostname', name: hostname });
  }
  if (domainname !== '') {
    requireUts(spec, '/domainname');
    draft.add('settings', { pointer: '/domainname', reason: 'the NIS domain programs see' }, { op: 'domainname', name: domainname });
  }
  const network = namespacesOf(spec).find(({ kind, path }) => kind === 'network' && path === undefined);
  if (network !== undefined) {
    draft.add(
      'settings',
      { pointer: network.pointer, reason: 'a new network namespace starts with its loopback down' },
      { op: 'loopbackUp' },
    );
  }
  for (const [key, value] of Object.entries(spec.linux?.sysctl ?? {})) planSysctl(draft, spec, key, value);
}

function requireUts(spec: RuntimeSpec, pointer: string): void {
  if (!hasOwn(spec, 'uts')) throw invalid(pointer, 'needs a uts namespace, or it would rename the host');
}

function planSysctl(draft: Draft, spec: RuntimeSpec, written: string, value: string): void {
  const pointer = `/linux/sysctl/${written.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const key = toDotted(written);
  if (!/^[a-z0-9_-]+(\.[A-Za-z0-9_:@/-]+)+$/.test(key) || /(^|[./])\.?\.?([./]|$)/.test(key))
    throw invalid(pointer, `"${written}" is not the name of a kernel parameter`);
  if (/[\n\0]/.test(value)) throw invalid(pointer, 'a kernel parameter is a single line');
  const kind = namespaceOfSysctl(key);
  if (kind === undefined) throw invalid(pointer, `"${written}" belongs to the whole machine, not to a namespace`);
  if (!hasOwn(spec, kind)) throw invalid(pointer, `"${written}" needs a ${kind} namespace, or it would change the host`);
  draft.add('settings', { pointer, reason: `a parameter of the container's ${kind} namespace` }, { op: 'sysctl', key, value });
}

/** `net/ipv4/conf/eth0.7/forwarding` is `net.ipv4.conf.eth0/7.forwarding`: the first separator decides which is which. */
function toDotted(key: string): string {
  const first = key.search(/[./]/);
  if (first < 0 || key[first] === '.') return key;
  return key.replace(/[./]/g, (c) => (c === '/' ? '.' : '/'));
}

/** The namespace a parameter belongs to; undefined for one of the machine. The host name has a field of its own. */
export function namespaceOfSysctl(key: string): NamespaceKind | undefined {
  if (IPC_KEYS.has(key) || key.startsWith('fs.mqueue.')) return 'ipc';
  if (key.startsWith('net.')) return 'network';
  if (key === 'kernel.domainname') return 'uts';
  return undefined;
}
