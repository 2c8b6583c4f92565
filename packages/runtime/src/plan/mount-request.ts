/**
 * One entry of `mounts` on its way into a plan.
 *
 * Knows: what kind of mount it is, where it goes, and its attributes in the launcher's words.
 * Does not know: which operations it becomes (mounts.ts, cgroup-mounts.ts).
 */
import type { MountAttributes } from '@slipway/launcher';
import { type MountOptionAttributes, type ParsedMountOptions, parseMountOptions, type RuntimeSpec, type SpecMount } from '@slipway/oci';
import { unsupported } from './draft.ts';
import type { Host } from './host.ts';

/** One entry of `mounts` with what it needs to be planned. */
export interface MountRequest {
  readonly spec: RuntimeSpec;
  readonly host: Host;
  readonly mount: SpecMount;
  readonly pointer: string;
}

/** The launcher sets attributes on one mount or on a whole tree, not different ones on each. */
export function toAttributes(pointer: string, options: ParsedMountOptions): MountAttributes {
  const own: MountOptionAttributes = options.attributes;
  const tree: MountOptionAttributes = options.recursiveAttributes;
  if (Object.keys(tree).length === 0) return own;
  if (Object.keys(own).length > 0 && options.bind === 'rbind') {
    throw unsupported(`${pointer}/options`, 'attributes for the tree (rro …) and for its top alone (ro …) in one bind are not supported');
  }
  return { ...own, ...tree, recursive: true };
}

export function isBind(mount: SpecMount, options: ParsedMountOptions = parseMountOptions(mount.options)): boolean {
  return mount.type === 'bind' || options.bind !== undefined;
}

/** Absolute and without empty or dot segments; `..` stays, for the launcher to resolve inside the root. */
export function toContainerPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return `/${parts.join('/')}`;
}
