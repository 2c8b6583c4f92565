/**
 * Reads a small regular file of an untrusted directory: never a device, fifo or socket, never more than so many bytes.
 *
 * Knows: that the check must be made on the descriptor that is read, as names can change in between.
 * Does not know: what is in the file.
 */
import * as fs from 'node:fs';
import type { ConfinedDirectory } from './confined.ts';

/** The text of `name`; undefined when it is no regular file. @throws RangeError beyond `maxBytes` */
export function readRegularFile(directory: ConfinedDirectory, name: string, maxBytes: number): string | undefined {
  const fd = directory.openFile(name);
  try {
    const info = fs.fstatSync(fd);
    if (!info.isFile()) return undefined;
    if (info.size > maxBytes) throw new RangeError(`${info.size} bytes, at most ${maxBytes} are read`);
    // By its size, and a byte more for one that grows meanwhile: clearing room for the largest would take longer than reading.
    let bytes = Buffer.allocUnsafe(info.size + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length <= maxBytes; length += read) {
      if (length === bytes.length) bytes = Buffer.concat([bytes], Math.min(2 * bytes.length, maxBytes + 1));
      read = fs.readSync(fd, bytes, length, bytes.length - length, length);
    }
    if (length > maxBytes) throw new RangeError(`more than ${maxBytes} bytes`);
    return bytes.toString('utf8', 0, length);
  } finally {
    fs.closeSync(fd);
  }
}
