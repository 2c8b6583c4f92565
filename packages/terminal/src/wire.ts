/**
 * What labd and the pty host say to each other on their unix socket.
 *
 * Knows: framing and message shapes. Both ends are the same user's processes behind a 0600 socket, so shapes are trusted; sizes are not.
 * Does not know: what a message leads to.
 *
 *     u32 BE length ─┬─ `{…}`   one JSON message
 *                    └─ 1 | 2   a terminal frame (protocol.ts); its channel was chosen by the client in `attach`
 */
import type { Socket } from 'node:net';
import { decodeFrame, encodeFrame, type TerminalFrame } from './protocol.ts';
import type { AttachRequest, Position, TerminalSpec, TerminalState } from './terminal.ts';

export type HostCall =
  | { readonly call: 'create'; readonly spec: TerminalSpec }
  | { readonly call: 'list' }
  | { readonly call: 'close'; readonly terminal: string }
  | { readonly call: 'shutdown' };

export type ClientToHost =
  | (HostCall & { readonly id: number })
  | { readonly note: 'attach'; readonly channel: number; readonly terminal: string; readonly request: AttachRequest }
  | { readonly note: 'detach'; readonly channel: number }
  | { readonly note: 'ack'; readonly channel: number; readonly offset: number }
  | { readonly note: 'resize'; readonly channel: number; readonly cols: number; readonly rows: number };

export type HostToClient =
  | { readonly note: 'ready'; readonly pid: number }
  | { readonly note: 'answer'; readonly id: number; readonly result: unknown }
  | { readonly note: 'refused'; readonly id: number; readonly code: `E_${string}`; readonly message: string }
  | { readonly note: 'positioned'; readonly channel: number; readonly position: Position }
  /** No such terminal: the channel is dead. */
  | { readonly note: 'gone'; readonly channel: number }
  | { readonly note: 'input-lost'; readonly channel: number }
  | { readonly note: 'exited'; readonly terminal: TerminalState }
  | { readonly note: 'titled'; readonly terminal: TerminalState }
  | { readonly note: 'commanded'; readonly terminal: TerminalState; readonly line: string };

/** Snapshots are the largest messages: a MiB of text, escaped. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const LENGTH_BYTES = 4;
const OPEN_BRACE = 0x7b;

export function sendMessage(socket: Socket, message: ClientToHost | HostToClient): void {
  sendBytes(socket, Buffer.from(JSON.stringify(message)));
}

export function sendFrame(socket: Socket, frame: TerminalFrame): void {
  sendBytes(socket, encodeFrame(frame));
}

function sendBytes(socket: Socket, payload: Uint8Array): void {
  if (socket.destroyed) return;
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(payload.length);
  socket.cork();
  socket.write(length);
  socket.write(payload);
  process.nextTick(() => socket.uncork());
}

export interface WireHandlers<Message> {
  message(message: Message): void;
  frame(frame: TerminalFrame): void;
}

/** Reads messages and frames; a malformed or oversized one destroys the socket. */
export function receive<Message>(socket: Socket, handlers: WireHandlers<Message>): void {
  let held: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    while (held.length >= LENGTH_BYTES) {
      const length = held.readUInt32BE();
      if (length > MAX_MESSAGE_BYTES) return breakOff(socket, `message of ${length} bytes`);
      if (held.length < LENGTH_BYTES + length) return;
      const payload = held.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
      held = held.subarray(LENGTH_BYTES + length);
      if (!dispatch(payload, handlers)) return breakOff(socket, 'malformed message');
    }
  });
}

function breakOff(socket: Socket, reason: string): void {
  socket.destroy(new Error(reason));
}

/** @returns false for a payload that is neither a message nor a frame */
function dispatch<Message>(payload: Buffer, handlers: WireHandlers<Message>): boolean {
  if (payload[0] !== OPEN_BRACE) {
    const frame = decodeFrame(payload);
    if (frame !== undefined) handlers.frame(frame);
    return frame !== undefined;
  }
  const message = parseMessage<Message>(payload);
  if (message !== undefined) handlers.message(message);
  return message !== undefined;
}

function parseMessage<Message>(payload: Buffer): Message | undefined {
  try {
    return JSON.parse(payload.toString()) as Message;
  } catch {
    return undefined;
  }
}
