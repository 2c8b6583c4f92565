/**
 * Plans that start a foreign runtime's command line under our shim. Pure.
 *
 *     shim ── runtime `run` (holds the streams, ends as the container's process does) ── the container's process
 *
 * Knows: that the command line waits for `start` like any process of ours, and sees a root file system that nobody else does.
 * Does not know: the words of the command line (command.ts).
 */
import type { SpecProcess } from '@slipway/oci';
import { planConsole } from '../plan/console.ts';
import { Draft, type RuntimePlan } from '../plan/draft.ts';
import type { CreateRequest } from '../runtime.ts';

export interface ForeignProcess {
  /** The command line of the runtime. */
  readonly args: readonly string[];
  /** Terminal and its size are those of the process in the container: the runtime passes bytes and sizes on. */
  readonly process: SpecProcess | undefined;
  /** Wait before the execve until somebody reads the fifo. */
  readonly holdBack: boolean;
  /** Mounted on this host path, in a mount namespace of the command line's own. */
  readonly rootfs?: { readonly path: string; readonly mount: NonNullable<CreateRequest['rootfsMount']> };
}

/** Nothing of our own environment reaches it. */
const ENV = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root'];

export function planForeign({ args, process, holdBack, rootfs }: ForeignProcess): RuntimePlan {
  const draft = new Draft();
  const ours = (reason: string) => ({ pointer: '', reason });
  draft.add('prepare', ours('the runtime’s command line sees the host’s own tree'), { op: 'openRoot', hostPath: '/' });
  draft.add('clone', ours('the runtime’s command line'), { op: 'clone', namespaces: rootfs === undefined ? [] : ['mount'] });
  draft.add('identity', ours('not in the session of whoever called us'), { op: 'newSession' });
  if (rootfs !== undefined) {
    draft.add('mounts', ours('mounts made from here on stay in this namespace'), { op: 'rootPropagation', propagation: 'rslave' });
    draft.add('mounts', ours('a copy of the host’s tree of mounts, which takes one more'), { op: 'bindRoot' });
    draft.add(
      'mounts',
      { pointer: '/root/path', reason: `the container's own ${rootfs.mount.fsType} file system, seen by the runtime alone` },
      { op: 'mount', destination: rootfs.path, attributes: { noDev: true }, refuseSymlinks: true, ...rootfs.mount },
    );
  }
  planConsole(draft, process);
  if (rootfs !== undefined) draft.add('root', ours('the host’s tree, as this mount namespace has it'), { op: 'pivotRoot' });
  if (holdBack) draft.add('start', ours('`start` decides when'), { op: 'awaitStart' });
  draft.add('start', ours(`the process becomes ${args[0]}`), { op: 'exec', args, env: ENV });
  return draft.finish();
}
