/**
 * Docker's framing of two output streams on one connection, for processes without a terminal.
 *
 *     ┌ stream ┬ 0 ┬ 0 ┬ 0 ┬ length, big endian ┬ bytes …
 *     └ 1 stdout, 2 stderr ┘
 *
 * Knows: the eight bytes.
 * Does not know: connections.
 *
 * @spec docker-api/v1.47#operation/ContainerAttach
 */

const STREAM_NUMBER = { stdout: 1, stderr: 2 } as const;
const HEADER_BYTES = 8;

export function encodeStdcopy(stream: 'stdout' | 'stderr', bytes: Uint8Array): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + bytes.length);
  frame.writeUInt8(STREAM_NUMBER[stream], 0);
  frame.writeUInt32BE(bytes.length, 4);
  frame.set(bytes, HEADER_BYTES);
  return frame;
}

/** Media types that tell a client which of the two it gets. */
export function streamMediaType(isRaw: boolean): string {
  return isRaw ? 'application/vnd.docker.raw-stream' : 'application/vnd.docker.multiplexed-stream';
}
