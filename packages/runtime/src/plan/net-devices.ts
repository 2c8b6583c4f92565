/**
 * Network devices that leave the host for the container.
 *
 * Knows: that they need a network namespace to go to, and which names the kernel takes.
 * Does not know: how a device moves (native/netdev.c), or routes.
 *
 * @spec runtime-spec/config-linux.md#network-devices
 */
import type { RuntimeSpec } from '@slipway/oci';
import { type Draft, invalid } from './draft.ts';

/** IFNAMSIZ without its NUL. */
const NAME_MAX_BYTES = 15;

/** Where they go: nowhere, to the container's own network namespace, or to the one in a slot, which it is yet to join. */
export type Destination = 'none' | 'own' | number;

export function planNetDevices(draft: Draft, spec: RuntimeSpec, destination: Destination): void {
  for (const [name, { name: wanted = '' }] of Object.entries(spec.linux?.netDevices ?? {})) {
    const pointer = `/linux/netDevices/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const target = wanted === '' ? name : wanted;
    if (destination === 'none') throw invalid(pointer, 'needs a network namespace to move to');
    for (const each of [name, target]) {
      if (!isDeviceName(each)) throw invalid(pointer, `"${each}" cannot be the name of a network device`);
    }
    draft.add(
      'clone',
      { pointer, reason: `${name} leaves the host${target === name ? '' : `, and is ${target} from then on`}` },
      { op: 'netDevice', name, target, ...(destination === 'own' ? {} : { slot: destination }) },
    );
  }
}

/** As the kernel's dev_valid_name. */
function isDeviceName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && Buffer.byteLength(name) <= NAME_MAX_BYTES && !/[\s/:]/.test(name);
}
