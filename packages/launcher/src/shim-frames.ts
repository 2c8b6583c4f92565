/**
 * The frames on a shim's socket: type u8, length u32 (host order, little endian), payload.
 *
 * Knows: how frames are cut and joined. Twin of native/shim.h.
 * Does not know: sockets, or what a frame makes anybody do.
 */

export const FrameType = {
  /** Client: a u8, bit 0 asks for output. Answered by `attached`. */
  attach: 1,
  stdin: 2,
  /** Client: rows u16, columns u16. */
  resize: 3,
  closeStdin: 4,
  reopenLog: 5,
  attached: 17,
  stdout: 18,
  stderr: 19,
  /** Shim: the bytes of exit.json. The last frame. */
  exit: 20,
} as const;

export interface Frame {
  readonly type: number;
  readonly payload: Uint8Array;
}

const HEADER_BYTES = 5;
/** The shim sends at most 16 KiB at a time; more is not a shim. */
const MAX_PAYLOAD_BYTES = 1 << 20;

export function encodeFrame(type: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + payload.length);
  frame[0] = type;
  new DataView(frame.buffer).setUint32(1, payload.length, true);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/** Cuts a byte stream, in whatever pieces it comes, into frames. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Frames completed by `bytes`. @throws RangeError when a length is beyond what a shim sends */
  push(bytes: Uint8Array): Frame[] {
    this.#rest = this.#rest.length === 0 ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) : Buffer.concat([this.#rest, bytes]);
    const frames: Frame[] = [];
    while (this.#rest.length >= HEADER_BYTES) {
      const length = this.#rest.readUInt32LE(1);
      if (length > MAX_PAYLOAD_BYTES) throw new RangeError(`frame of ${length} bytes`);
      if (this.#rest.length < HEADER_BYTES + length) break;
      frames.push({ type: this.#rest.readUInt8(0), payload: this.#rest.subarray(HEADER_BYTES, HEADER_BYTES + length) });
      this.#rest = this.#rest.subarray(HEADER_BYTES + length);
    }
    return frames;
  }
}
