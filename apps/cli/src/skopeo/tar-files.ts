/**
 * Archives as files with names, and back. What an archive holds was written by strangers: names are looked up in a table, never on the disk.
 *
 * Knows: tar.
 * Does not know: which files an archive of images has.
 */
import { createReadStream, createWriteStream, readFileSync, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { readTar, tarEnd, tarHeader, tarPadding } from '@slipway/layers';
import { fileBytes, type KeptBlob, keep, unpacked } from './blobs.ts';

/** Regular members by name, each kept in a numbered file below `directory`; links to members of the archive count as these. */
export async function takeApart(archive: string, directory: string): Promise<ReadonlyMap<string, KeptBlob>> {
  const files = new Map<string, KeptBlob>();
  const links = new Map<string, string>();
  for await (const { entry, content } of readTar(unpacked(createReadStream(archive)))) {
    const name = cleanName(entry.name);
    if (entry.type === 'symlink') links.set(name, cleanName(`${name.split('/').slice(0, -1).join('/')}/${entry.linkName}`));
    else if (entry.type === 'hardlink') links.set(name, cleanName(entry.linkName));
    else if (entry.type === 'file') {
      const bytes = (async function* () {
        for await (const extent of content) yield extent.bytes;
      })();
      files.set(name, await keep(bytes, `${directory}/${files.size}`));
    }
  }
  for (const [name, target] of links) {
    const file = files.get(target);
    if (file !== undefined) files.set(name, file);
  }
  return files;
}

/** A member that is to be written: from a file, or from memory. */
export type OutgoingFile = { readonly name: string } & ({ readonly path: string } | { readonly bytes: Uint8Array });

export async function putTogether(archive: string, files: readonly OutgoingFile[]): Promise<void> {
  const tar = async function* () {
    for (const file of files) {
      const sizeBytes = 'path' in file ? statSync(file.path).size : file.bytes.byteLength;
      yield tarHeader({ name: file.name, type: 'file', mode: 0o444, sizeBytes });
      if ('path' in file) yield* fileBytes(file.path);
      else yield file.bytes;
      yield tarPadding(sizeBytes);
    }
    yield tarEnd();
  };
  await pipeline(tar, createWriteStream(archive));
}

/** A small member, whole. */
export function textOf(file: KeptBlob, maxBytes: number): string {
  if (file.size > maxBytes) throw new Error(`a document of ${file.size} bytes, more than the ${maxBytes} allowed`);
  return readFileSync(file.path, 'utf8');
}

/** Without dots and doubled slashes, so that one member has one name. */
function cleanName(name: string): string {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}
