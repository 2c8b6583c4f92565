/**
 * runc's birth of a document, as the host's kernel recorded it, and for which document that was.
 *
 * Knows: the request. Does not know: how the recording reads, nor our own birth beside it.
 */
import type { PeerBirth } from '@slipway/contracts';
import { create } from 'zustand';
import { workbench } from '../state/lab.ts';

interface PeerState {
  readonly birth?: PeerBirth;
  /** The document of `birth`. */
  readonly config?: string;
  readonly busy: boolean;
  readonly problem?: string;
}

export const usePeer = create<PeerState>(() => ({ busy: false }));

/** Has it born once more, and recorded; what was recorded before is forgotten. */
export async function recordPeer(image: string, config: string): Promise<void> {
  if (usePeer.getState().busy) return;
  usePeer.setState({ busy: true }, true);
  try {
    const birth = await workbench.ask({ do: 'peer', image, config });
    usePeer.setState({ busy: false, birth, config }, true);
  } catch (error) {
    usePeer.setState({ busy: false, config, problem: error instanceof Error ? error.message : String(error) }, true);
  }
}
