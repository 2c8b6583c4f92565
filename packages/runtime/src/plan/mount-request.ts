/**
 * One entry of `mounts` on its way into a plan.
 *
 * Knows: what kind of mount it is, where it goes, and its attributes in the launcher's words.
 * Does not know: which operations it becomes (mounts.ts, cgroup-mounts.ts).
 */
import type { MountAttributes } from '@slipway/launcher';
import { type ParsedMountOptions, parseMountOptions, type RuntimeSpec, type SpecMount } from '@slipway/oci';
import type { Host } from './host.ts';

/** One entry of `mounts` with what it needs to be planned. */
export interface MountRequest {
  readonly spec: RuntimeSpec;
  readonly host: Host;
  readonly mount: SpecMount;
  readonly pointer: string;
}

/** Attributes of a file system that is made here: nothing is mounted below it, so what is asked for its tree is asked for it. */
export function newAttributes({ attributes, recursiveAttributes }: ParsedMountOptions): MountAttributes {
  return { ...recursiveAttributes, ...attributes };
}

/**
 * Attributes of a mount that may have others below it: those of the tree come first, and the top's own after them.
 * @spec runtime-spec/config.md#linux-mount-options
 */
export function treeAttributes({ attributes, recursiveAttributes }: ParsedMountOptions): {
  readonly attributes: MountAttributes;
  readonly treeAttributes?: MountAttributes;
} {
  return Object.keys(recursiveAttributes).length === 0 ? { attributes } : { attributes, treeAttributes: recursiveAttributes };
}

export function isBind(mount: SpecMount, options: ParsedMountOptions = parseMountOptions(mount.options)): boolean {
  return mount.type === 'bind' || options.bind !== undefined;
}

/** Absolute and without empty or dot segments; `..` stays, for the launcher to resolve inside the root. */
export function toContainerPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return `/${parts.join('/')}`;
}
