/**
 * The config.json that `create` would write for a request, with nothing created. Pure.
 *
 * Knows: the same steps as create.ts, with stand-ins for what only a creation makes: an id, a root directory, the files below /etc.
 * Does not know: images' files; names of users are looked up in the account files it is given.
 */
import { type ExecutionDefaults, planSeccompProfile, type RuntimeSpec } from '@slipway/oci';
import type { ContainerRequest } from './container.ts';
import { outlineSpec, planSpec } from './plan-spec.ts';
import { resolveProcess } from './resolve-process.ts';
import { type AccountFiles, resolveUser } from './resolve-user.ts';

export interface DraftFacts {
  readonly image: ExecutionDefaults;
  /** Of the image: text of /etc/passwd and /etc/group; empty where it has none. */
  readonly accounts: AccountFiles;
}

/** An id that no container has: documents of one request are the same every time. */
const NO_ID = '0'.repeat(64);
/** The machine's own files in place of those that a container gets for itself. */
const ETC = { hosts: '/etc/hosts', hostname: '/etc/hostname', resolvConf: '/etc/resolv.conf' };

/** @throws as `create` does for what can never work */
export function draftSpec(request: ContainerRequest, { image, accounts }: DraftFacts): RuntimeSpec {
  const process = resolveProcess(request, image, NO_ID);
  const user = resolveUser(process.user, accounts, request.host.groupAdd);
  const outline = outlineSpec({ id: NO_ID, name: request.name ?? '', request, process }, ETC);
  return planSpec(outline, { user, rootfs: 'rootfs', seccomp: planSeccompProfile(outline.bounding) });
}
