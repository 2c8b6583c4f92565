/**
 * Device rules of a document, with its many spellings of "all" made one.
 *
 * Knows: what an absent type, number or access means.
 * Does not know: how rules are enforced (device-list.ts on v1, device-program.ts on v2).
 *
 * @spec runtime-spec/config-linux.md#allowed-device-list
 */
import type { SpecResources } from '@slipway/oci';

/** Bits as the kernel counts them. @see linux/bpf.h, BPF_DEVCG_ACC_… */
export const ACCESS = { m: 1, r: 2, w: 4 } as const;
export const ALL_ACCESS = ACCESS.m | ACCESS.r | ACCESS.w;

/** One rule. Of several that speak of the same device and access, the last one counts. */
export interface DeviceRule {
  readonly allow: boolean;
  /** `a`: both kinds. */
  readonly type: 'a' | 'b' | 'c';
  /** Undefined: all. */
  readonly major: number | undefined;
  readonly minor: number | undefined;
  /** Bits of {@link ACCESS}. */
  readonly access: number;
}

type SpecDeviceRules = NonNullable<SpecResources['devices']>;

/** In the document's order. */
export function parseDeviceRules(rules: SpecDeviceRules | undefined): readonly DeviceRule[] {
  return (rules ?? []).map(({ allow, type, major, minor, access }) => ({
    allow,
    type: type === 'b' || type === 'c' ? type : 'a',
    major: numberOrAll(major),
    minor: numberOrAll(minor),
    access: accessBits(access),
  }));
}

/** Whether a rule speaks of everything, so that nothing before it counts any more. */
export function isTotal({ type, major, minor, access }: DeviceRule): boolean {
  return type === 'a' && major === undefined && minor === undefined && access === ALL_ACCESS;
}

/** Go writers say -1 for all, and null for absent. */
function numberOrAll(number: number | null | undefined): number | undefined {
  return typeof number === 'number' && number >= 0 ? number : undefined;
}

function accessBits(text: string | undefined): number {
  const bits = [...(text ?? '')].reduce((sum, letter) => sum | (ACCESS[letter as keyof typeof ACCESS] ?? 0), 0);
  return bits === 0 ? ALL_ACCESS : bits;
}
