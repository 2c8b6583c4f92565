/**
 * Closing the root: hidden and read-only paths, pivot_root, read-only root.
 *
 * Knows: their order.
 * Does not know: which paths an engine hides by default (packages/oci).
 *
 * @spec runtime-spec/config-linux.md#masked-paths
 */
import type { Propagation } from '@slipway/launcher';
import { DOCKER_DEFAULTS, type RuntimeSpec } from '@slipway/oci';
import type { Draft, SharedParts } from './draft.ts';
import type { Host } from './host.ts';
import { toContainerPath } from './mount-request.ts';
import { hasOwn, joinsExisting } from './namespaces.ts';

/** @spec runtime-spec/config-linux.md#readonly-paths/read-only */
export function planRoot(draft: Draft, spec: RuntimeSpec, host: Host): void {
  const { readonlyPaths = [], maskedPaths = [] } = spec.linux ?? {};
  planPaths(draft, readonlyPaths, (path, index) => {
    const origin = { pointer: `/linux/readonlyPaths/${index}`, reason: `${path} may be read, not changed` };
    draft.add('root', origin, { op: 'readonlyPath', path: toContainerPath(path) });
  });
  planPaths(draft, maskedPaths, (path, index) => {
    const origin = { pointer: `/linux/maskedPaths/${index}`, reason: `${path} would show the host` };
    draft.add('root', origin, { op: 'mask', path: toContainerPath(path) });
  });
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

const usualPaths: SharedParts<readonly string[]> = new WeakMap();

function planPaths(draft: Draft, paths: readonly string[], planPath: (path: string, index: number) => void): void {
  const planAll = () => {
    for (const [index, path] of paths.entries()) planPath(path, index);
  };
  if (paths === DOCKER_DEFAULTS.readonlyPaths || paths === DOCKER_DEFAULTS.maskedPaths) draft.shared(usualPaths, paths, planAll);
  else planAll();
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
