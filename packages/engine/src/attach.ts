/**
 * Attaching to a container's streams.
 *
 * Knows: that one may attach before the process exists.
 * Does not know: earlier output; that is the log's (logs.ts).
 */
import { Attachment, type AttachOptions } from './attachment.ts';
import { containerEvent } from './facts.ts';
import type { LiveContainer } from './live-container.ts';
import type { EngineContext } from './ports.ts';
import { bindAttachment } from './start.ts';

/** Resolves once no later byte of output can be missed. The caller closes the attachment. */
export async function attachContainer(engine: EngineContext, container: LiveContainer, options: AttachOptions): Promise<Attachment> {
  const { status, shimDir, request } = container.record;
  const attachment = new Attachment({ ...options, stdin: options.stdin && request.openStdin });
  if ((status === 'running' || status === 'paused') && shimDir !== undefined) {
    await bindAttachment(attachment, shimDir);
  } else {
    container.pendingAttachments.add(attachment);
    void attachment.ended.then(() => container.pendingAttachments.delete(attachment));
  }
  containerEvent(engine, container, 'attach');
  return attachment;
}
