/**
 * The kernel's numbers for what operations name in words.
 *
 * Knows: flags of clone(2), mount(2), mount_setattr(2) and mknod(2).
 * Does not know: which operation takes which (encode.ts).
 */
import type { MountAttributes, NamespaceKind, Propagation } from './operations.ts';

/** CLONE_NEW…, @see clone(2). */
export const NAMESPACE_FLAGS: Readonly<Record<NamespaceKind, number>> = {
  time: 0x80,
  mount: 0x20000,
  cgroup: 0x2000000,
  uts: 0x4000000,
  ipc: 0x8000000,
  user: 0x10000000,
  pid: 0x20000000,
  network: 0x40000000,
};

const MS_REC = 0x4000;
/** MS_…, @see mount(2). */
export const PROPAGATION_FLAGS: Readonly<Record<Propagation, number>> = {
  private: 1 << 18,
  rprivate: (1 << 18) | MS_REC,
  shared: 1 << 20,
  rshared: (1 << 20) | MS_REC,
  slave: 1 << 19,
  rslave: (1 << 19) | MS_REC,
  unbindable: 1 << 17,
  runbindable: (1 << 17) | MS_REC,
};

/** MOUNT_ATTR_…, @see mount_setattr(2). */
const ATTRIBUTE_BITS = [
  ['readOnly', 1],
  ['noSuid', 2],
  ['noDev', 4],
  ['noExec', 8],
  ['noDirAtime', 0x80],
  ['noSymFollow', 0x200000],
] as const;
const ATIME_MASK = 0x70;
const ATIME_BITS = { relatime: 0, noatime: 0x10, strictatime: 0x20 } as const;

/** S_IF…, @see mknod(2). */
export const DEVICE_TYPES = { c: 0o020000, b: 0o060000, p: 0o010000 } as const;

export function namespaceFlags(kinds: readonly NamespaceKind[]): number {
  return kinds.reduce((flags, kind) => flags | NAMESPACE_FLAGS[kind], 0);
}

/** For mount_setattr(2). */
export function attributeBits(attributes: MountAttributes): { readonly set: number; readonly clear: number } {
  let set = 0;
  let clear = 0;
  for (const [name, bit] of ATTRIBUTE_BITS) {
    const wanted = attributes[name];
    if (wanted === true) set |= bit;
    else if (wanted === false) clear |= bit;
  }
  if (attributes.atime === undefined) return { set, clear };
  // The kernel takes a change of atime only together with the clearing of all its bits.
  return { set: set | ATIME_BITS[attributes.atime], clear: clear | ATIME_MASK };
}
