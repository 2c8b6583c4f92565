/**
 * A file that is filled in any order.
 *
 * Knows: reading and writing at an offset, without moving one.
 * Does not know: which parts have been written.
 */
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';

export interface SparseFile {
  /** Exactly `length` bytes. @throws when the file is shorter */
  read(offset: number, length: number): Promise<Buffer>;
  write(offset: number, bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Makes the file, 0600, empty and `sizeBytes` long; one that was there is emptied. */
export async function createSparseFile(path: string, sizeBytes: number): Promise<SparseFile> {
  const handle = await fs.open(path, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW, 0o600);
  await handle.truncate(sizeBytes);
  return {
    read: async (offset, length) => {
      const buffer = Buffer.allocUnsafeSlow(length);
      for (let held = 0; held < length; ) {
        const { bytesRead } = await handle.read(buffer, held, length - held, offset + held);
        if (bytesRead === 0) throw new Error(`the file ends before ${offset + length}`);
        held += bytesRead;
      }
      return buffer;
    },
    write: async (offset, bytes) => {
      for (let done = 0; done < bytes.byteLength; ) {
        done += (await handle.write(bytes, done, bytes.byteLength - done, offset + done)).bytesWritten;
      }
    },
    close: () => handle.close(),
  };
}
