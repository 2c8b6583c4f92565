/**
 * Moves bytes between a client's connection and a process's streams.
 *
 * Knows: back-pressure in both directions, half-closed connections, and clients that vanish.
 * Does not know: how the connection came about (upgrade.ts) or what the bytes are.
 */
import type { Duplex, Writable } from 'node:stream';
import type { BackendAttachment } from './backend.ts';
import { encodeStdcopy } from './stdcopy.ts';

/** Sends the process's output to `sink` until it ends or the client goes; resolves then. `raw`: a terminal's bytes, unframed. */
export async function pumpOutput(attachment: BackendAttachment, sink: Writable, raw: boolean): Promise<void> {
  const leave = () => attachment.close();
  sink.on('error', leave);
  sink.on('close', leave);
  if (sink.destroyed) leave(); // before there was something to hear it
  sink.on('drain', () => attachment.pauseOutput(false));
  attachment.onOutput((stream, bytes) => {
    if (sink.destroyed) return;
    // A client that reads slowly holds back the container, not this daemon's memory.
    if (!sink.write(raw ? bytes : encodeStdcopy(stream, bytes))) attachment.pauseOutput(true);
  });
  await attachment.ended;
}

/** Sends what the client types to the process; a half-closed connection is the end of its input, and its output goes on. */
export async function pumpInput(socket: Duplex, attachment: BackendAttachment): Promise<void> {
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      if (chunk instanceof Uint8Array) await attachment.write(chunk);
    }
    await attachment.closeStdin();
  } catch {
    attachment.close(); // the connection broke
  }
}
