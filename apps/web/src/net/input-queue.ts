/**
 * Bytes typed into one terminal that the server may not have taken yet.
 *
 * Knows: the numbering of input (packages/terminal/src/protocol.ts). Nothing typed while the connection is down is lost, and
 * nothing is typed twice after it came back, because the server says how many bytes it has taken and drops what it already has.
 * Does not know: sockets.
 *
 *     taken by server        sent, unconfirmed          not sent yet
 *     ────────────────┼──────────────────────────┼────────────────────
 *                  confirmed                     sent                 end
 */
import { MAX_INPUT_BYTES } from '@slipway/terminal/protocol';

/** Typing ahead while the connection is down stops here: nobody means to type this much blindly. */
export const MAX_QUEUED_BYTES = 256 * 1024;
/** Kept after sending, since a server does not confirm each frame: enough for what a dying socket may have swallowed. */
export const KEPT_SENT_BYTES = 64 * 1024;

export interface InputFrame {
  readonly offset: number;
  readonly payload: Uint8Array;
}

export class InputQueue {
  #chunks: InputFrame[] = [];
  /** Offset of the next byte to be typed; undefined until the server told the numbering. */
  #end: number | undefined;
  #sent = 0;
  #early: Uint8Array[] = [];

  /** Takes what was typed. @returns false when it was refused because too much is waiting */
  push(bytes: Uint8Array): boolean {
    if (bytes.length === 0) return true;
    if (this.pendingBytes + bytes.length > MAX_QUEUED_BYTES) return false;
    if (this.#end === undefined) this.#early.push(bytes);
    else this.#append(bytes);
    return true;
  }

  /** Bytes that were typed and not yet put on a socket. */
  get pendingBytes(): number {
    if (this.#end === undefined) return this.#early.reduce((sum, chunk) => sum + chunk.length, 0);
    return this.#end - this.#sent;
  }

  /**
   * The server has taken everything before `taken`; everything from there is to be sent (again).
   * A number outside of what we know (another numbering began) drops what was in flight and keeps what was never sent.
   */
  resume(taken: number): void {
    if (this.#end === undefined) {
      this.#end = taken;
      this.#sent = taken;
      for (const chunk of this.#early) this.#append(chunk);
      this.#early = [];
      return;
    }
    const first = this.#chunks[0]?.offset ?? this.#end;
    if (taken < first || taken > this.#sent) {
      this.#renumber(taken);
      return;
    }
    this.#chunks = dropBefore(this.#chunks, taken);
    this.#sent = taken;
  }

  /** The numbering and the shell behind it are gone: what was typed for the old one must not reach a new one. */
  forget(): void {
    this.#chunks = [];
    this.#early = [];
    this.#end = undefined;
    this.#sent = 0;
  }

  /** Frames to put on the socket now, in order; they count as sent. */
  take(): InputFrame[] {
    if (this.#end === undefined || this.#sent === this.#end) return [];
    const frames = dropBefore(this.#chunks, this.#sent).flatMap(splitFrame);
    this.#sent = this.#end;
    this.#chunks = dropBefore(this.#chunks, this.#end - KEPT_SENT_BYTES);
    return frames;
  }

  #append(bytes: Uint8Array): void {
    const offset = this.#end ?? 0;
    this.#chunks.push({ offset, payload: bytes });
    this.#end = offset + bytes.length;
  }

  #renumber(taken: number): void {
    const unsent = dropBefore(this.#chunks, this.#sent);
    this.#chunks = [];
    this.#end = taken;
    this.#sent = taken;
    for (const chunk of unsent) this.#append(chunk.payload);
  }
}

/** What lies at or after `offset`, cutting the chunk that straddles it. */
function dropBefore(chunks: readonly InputFrame[], offset: number): InputFrame[] {
  const kept: InputFrame[] = [];
  for (const chunk of chunks) {
    if (chunk.offset >= offset) kept.push(chunk);
    else if (chunk.offset + chunk.payload.length > offset) kept.push({ offset, payload: chunk.payload.subarray(offset - chunk.offset) });
  }
  return kept;
}

function splitFrame(frame: InputFrame): InputFrame[] {
  const frames: InputFrame[] = [];
  for (let at = 0; at < frame.payload.length; at += MAX_INPUT_BYTES) {
    frames.push({ offset: frame.offset + at, payload: frame.payload.subarray(at, at + MAX_INPUT_BYTES) });
  }
  return frames;
}
