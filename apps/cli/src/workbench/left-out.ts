/**
 * A document without some of the namespaces it asks for.
 *
 * Knows: which other fields make no sense without one, and go with it: set nonetheless they would be the machine's own.
 * Does not know: operations; those are left out while they are performed.
 */
import { formatSpecJson, parseSpecJson, type RuntimeSpec } from '@slipway/oci';

/** Text that is no document comes back as it is: the runtime says what is wrong with it. */
export function leaveNamespacesOut(config: string, kinds: readonly string[]): string {
  if (kinds.length === 0) return config;
  const spec = parseSpecJson(config) as RuntimeSpec;
  const linux = { ...spec.linux, namespaces: (spec.linux?.namespaces ?? []).filter(({ type }) => !kinds.includes(type)) };
  const { hostname, domainname, ...rest } = spec;
  const names = kinds.includes('uts')
    ? {}
    : { ...(hostname === undefined ? {} : { hostname }), ...(domainname === undefined ? {} : { domainname }) };
  const { uidMappings, gidMappings, sysctl, ...others } = linux;
  const maps = kinds.includes('user') ? {} : { ...(uidMappings && { uidMappings }), ...(gidMappings && { gidMappings }) };
  const kept = Object.entries(sysctl ?? {}).filter(([key]) => !kinds.some((kind) => belongsTo(key, kind)));
  return formatSpecJson({
    ...rest,
    ...names,
    linux: {
      ...others,
      ...maps,

      ...(kept.length > 0 ? { sysctl: Object.fromEntries(kept) } : {}),
    },
  });
}

function belongsTo(key: string, kind: string): boolean {
  if (kind === 'network') return key.startsWith('net.');
  if (kind === 'uts') return key === 'kernel.domainname' || key === 'kernel.hostname';
  return kind === 'ipc' && /^(kernel\.(msg|sem|shm)|fs\.mqueue\.)/.test(key);
}
