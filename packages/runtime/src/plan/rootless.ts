/**
 * Running without root: the launcher enters a user namespace itself, before anything else.
 *
 * Knows: who may map which ids without rights: anybody their own user and group, newuidmap and newgidmap what was allotted.
 * Does not know: what was allotted; those programs read /etc/subuid and /etc/subgid.
 *
 * @see user_namespaces(7), newuidmap(1)
 */
import type { IdMapping } from '@slipway/launcher';
import { type Draft, missingRight, unsupported } from './draft.ts';
import type { HostFacts } from './host.ts';

const CAP_SYS_ADMIN = 21;

/** True when whatever we make has to belong to a user namespace of our own, or to one that we made before. */
export function isRootless(host: HostFacts): boolean {
  return !host.capabilities.includes(CAP_SYS_ADMIN);
}

export interface WantedUserNamespace {
  readonly pointer: string;
  /** Of one that exists; absent: a new one with these maps. */
  readonly path?: string;
  readonly uid: readonly IdMapping[];
  readonly gid: readonly IdMapping[];
}

export function planRootless(draft: Draft, user: WantedUserNamespace | undefined, host: HostFacts): void {
  if (user === undefined)
    throw unsupported(
      '/linux/namespaces',
      'a container needs a user namespace where the engine is not root',
      '`runc spec --rootless` has one',
    );
  const { pointer, path, uid, gid } = user;
  const own = isOwnAlone(uid, host.uid) && isOwnAlone(gid, host.gid);
  if (path === undefined && !own && host.idMapHelpers === undefined)
    throw missingRight('/linux/uidMappings', 'other ids than one’s own cannot be mapped', 'newuidmap and newgidmap (package uidmap)');
  const [newuidmap, newgidmap] = own || path !== undefined ? [] : (host.idMapHelpers ?? []);
  draft.add(
    'prepare',
    { pointer, reason: 'without root we need rights of our own: this namespace has them' },
    {
      op: 'enterUserNamespace',
      ...(path === undefined ? {} : { hostPath: path }),
      uid,
      gid,
      // Whoever may not drop groups outside must not gain it inside; the helpers know who may.
      denySetgroups: own,
      ...(newuidmap === undefined || newgidmap === undefined ? {} : { helpers: [newuidmap, newgidmap] as const }),
    },
  );
}

/** One id, our own: what the kernel lets anybody map. */
function isOwnAlone(map: readonly IdMapping[], id: number): boolean {
  const [line, ...more] = map;
  return line !== undefined && more.length === 0 && line.size === 1 && line.hostId === id;
}
