/**
 * A file without a name: for bytes that come from elsewhere and are needed more than once, or by a worker as a descriptor.
 *
 * Knows: that nothing is left of it, however its user ends.
 * Does not know: what is in it.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';

export interface SpoolFile {
  /** For handing to a child, or for reading by position. */
  readonly fd: number;
  readonly sizeBytes: number;
  append(bytes: Uint8Array): Promise<void>;
  /** `length` bytes from `offset`. */
  read(offset: number, length: number): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Makes one below `directory`, an existing directory of our own. */
export async function openSpoolFile(directory: string): Promise<SpoolFile> {
  const path = `${directory}/spool-${randomUUID()}`;
  const handle = await fs.open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  await fs.unlink(path);
  let size = 0;
  return {
    fd: handle.fd,
    get sizeBytes() {
      return size;
    },
    append: async (bytes) => {
      for (let done = 0; done < bytes.byteLength; ) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, size);
        done += bytesWritten;
        size += bytesWritten;
      }
    },
    read: (offset, length) => pieces(handle, offset, length),
    close: () => handle.close(),
  };
}

const PIECE_BYTES = 256 * 1024;

async function* pieces(handle: fs.FileHandle, offset: number, length: number): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < length; ) {
    const bytes = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, length - done));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset + done);
    if (bytesRead === 0) return;
    done += bytesRead;
    yield bytes.subarray(0, bytesRead);
  }
}
