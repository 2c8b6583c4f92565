/**
 * The binary half of a terminal's protocol, shared by browser and server.
 *
 * Knows: how bytes of a terminal are framed and numbered.
 * Does not know: sockets, ptys, who may type. It imports nothing, so that the browser can use it.
 *
 *     0        1            5                      13
 *     ├─ kind ─┼─ channel ──┼─ offset (float64) ───┼─ payload …
 *       u8        u32 BE      bytes before payload
 *
 * `offset` counts the bytes of that direction since the terminal began. A client that says "I have 4096" gets exactly what
 * follows; input is numbered too, so a retransmission after a reconnect is typed once.
 */

export const FrameKind = { output: 1, input: 2 } as const;
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];

export interface TerminalFrame {
  readonly kind: FrameKind;
  /** Number given by `terminal.opened`, valid for one socket. */
  readonly channel: number;
  readonly offset: number;
  readonly payload: Uint8Array;
}

const HEADER_BYTES = 13;

/** Unacknowledged output bytes after which the server stops reading the pty. */
export const OUTPUT_WINDOW_BYTES = 512 * 1024;
/** A client acknowledges at least this often, in bytes. */
export const ACK_EVERY_BYTES = 64 * 1024;
/** Largest payload of one input frame. */
export const MAX_INPUT_BYTES = 64 * 1024;

export function encodeFrame(frame: TerminalFrame): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + frame.payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, frame.kind);
  view.setUint32(1, frame.channel);
  view.setFloat64(5, frame.offset);
  bytes.set(frame.payload, HEADER_BYTES);
  return bytes;
}

/** @returns undefined for anything that is not a whole, known frame */
export function decodeFrame(bytes: Uint8Array): TerminalFrame | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = view.getUint8(0);
  if (kind !== FrameKind.output && kind !== FrameKind.input) return undefined;
  const offset = view.getFloat64(5);
  if (!Number.isSafeInteger(offset) || offset < 0) return undefined;
  return { kind, channel: view.getUint32(1), offset, payload: bytes.subarray(HEADER_BYTES) };
}
