/**
 * Closing the root: hidden and read-only paths, pivot_root, read-only root.
 *
 * Knows: their order.
 * Does not know: which paths an engine hides by default (packages/oci).
 *
 * @spec runtime-spec/config-linux.md#masked-paths
 */
import type { Propagation } from '@slipway/launcher';
import type { RuntimeSpec } from '@slipway/oci';
import type { Draft } from './draft.ts';
import type { Host } from './host.ts';
import { toContainerPath } from './mount-request.ts';
import { hasOwn, joinsExisting } from './namespaces.ts';

/** @spec runtime-spec/config-linux.md#readonly-paths/read-only */
export function planRoot(draft: Draft, spec: RuntimeSpec, host: Host): void {
  for (const [index, path] of (spec.linux?.readonlyPaths ?? []).entries()) {
    const origin = { pointer: `/linux/readonlyPaths/${index}`, reason: `${path} may be read, not changed` };
    draft.add('root', origin, { op: 'readonlyPath', path: toContainerPath(path) });
  }
  for (const [index, path] of (spec.linux?.maskedPaths ?? []).entries()) {
    const origin = { pointer: `/linux/maskedPaths/${index}`, reason: `${path} would show the host` };
    draft.add('root', origin, { op: 'mask', path: toContainerPath(path) });
  }
  // pivot_root in a mount namespace of others would take their root away.
  if (!hasOwn(spec, 'mount') || joinsExisting(spec, 'mount') || host.noPivot === true) {
    draft.add('root', { pointer: '/root/path', reason: 'the root directory becomes /, without pivot_root' }, { op: 'chroot' });
  } else {
    draft.add(
      'root',
      { pointer: '/root/path', reason: 'the root directory becomes /, and the host’s tree goes out of sight' },
      { op: 'pivotRoot' },
    );
  }
  planFinalRoot(draft, spec);
}

/** @spec runtime-spec/config.md#root/readonly */
function planFinalRoot(draft: Draft, spec: RuntimeSpec): void {
  const propagation = spec.linux?.rootfsPropagation as Propagation | undefined;
  if (propagation?.endsWith('shared') === true || propagation?.endsWith('unbindable') === true) {
    const origin = { pointer: '/linux/rootfsPropagation', reason: 'only now, when the tree is the container’s alone' };
    draft.add('root', origin, { op: 'rootPropagation', propagation });
  }
  if (spec.root?.readonly === true)
    draft.add('root', { pointer: '/root/readonly', reason: 'the image may be read, not changed' }, { op: 'readonlyRoot' });
}
