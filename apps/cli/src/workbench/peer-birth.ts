/**
 * runc's birth of a document, for whoever records it from outside.
 *
 * Knows: that it has to be seen to its `execve`, and that its process can be looked at while it waits for the start.
 * Does not know: the recording; a machine cannot see its own system calls.
 */
import type { ProcessView } from '@slipway/contracts';
import { delay } from '@slipway/kernel';
import { makeBundle } from './bundle.ts';
import { PEER_PROGRAMS, Peer, versionOf } from './peer.ts';
import { viewProcess } from './process-view.ts';

interface BegunPeer {
  readonly program: string;
  readonly version: string;
  readonly process?: ProcessView;
  readonly failure?: { readonly code: string; readonly message: string };
}

const EXECVE_MS = 3000;

/** Creates, starts and removes it again. */
export async function beginPeer(page: number, { image, config }: { readonly image: string; readonly config: string }): Promise<BegunPeer> {
  const about = { program: PEER_PROGRAMS.runc, version: await versionOf('runc') };
  const id = `peer-${page}`;
  const bundle = await makeBundle(id, image, config);
  const peer = new Peer('runc', id, bundle.path);
  try {
    const created = await peer.create();
    if ('failure' in created) return { ...about, failure: created.failure };
    const process = await viewProcess(created.pid);
    await peer.start();
    await begun(created.pid, process?.program);
    return { ...about, ...(process === undefined ? {} : { process }) };
  } finally {
    await peer.delete().catch(() => undefined); // quiet about what is not there
    await bundle.remove();
  }
}

/** `start` answers before the program has taken the process over. */
async function begun(pid: number, before: string | undefined): Promise<void> {
  for (const deadline = performance.now() + EXECVE_MS; performance.now() < deadline; ) {
    const now = await viewProcess(pid);
    if (now?.program !== before) return;
    await delay(20);
  }
}
