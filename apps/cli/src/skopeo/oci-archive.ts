/**
 * `oci-archive:FILE[:NAME]`: a layout in one tar file.
 *
 * Knows: that it is taken apart into a directory, and put together from one.
 * Does not know: layouts (layout.ts).
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { UsageError } from '../flags.ts';
import { openLayoutDestination, openLayoutSource } from './layout.ts';
import { type OutgoingFile, putTogether, takeApart } from './tar-files.ts';
import type { ImageDestination, ImageSource, LayerForm } from './transport.ts';

/** Only what a layout has may leave the archive. */
const MEMBER = /^(?:oci-layout|index\.json|blobs\/sha(?:256\/[0-9a-f]{64}|512\/[0-9a-f]{128}))$/;

export async function openOciArchiveSource(path: string, image: string | undefined, work: string): Promise<ImageSource> {
  if (!existsSync(path)) throw new UsageError(`initializing source oci-archive:${path}: open ${path}: no such file or directory`);
  mkdirSync(`${work}/members`, { recursive: true });
  const files = await takeApart(path, `${work}/members`);
  for (const algorithm of ['sha256', 'sha512']) mkdirSync(`${work}/layout/blobs/${algorithm}`, { recursive: true });
  for (const [name, file] of files) if (MEMBER.test(name)) copyFileSync(file.path, `${work}/layout/${name}`);
  rmSync(`${work}/members`, { recursive: true });
  return { ...openLayoutSource(`${work}/layout`, image), close: async () => rmSync(work, { recursive: true, force: true }) };
}

export function openOciArchiveDestination(path: string, image: string | undefined, layers: LayerForm, work: string): ImageDestination {
  const layout = openLayoutDestination(work, image, layers);
  return {
    ...layout,
    commit: async () => {
      await layout.commit();
      const blobs = ['sha256', 'sha512'].flatMap((algorithm) =>
        readdirSync(`${work}/blobs/${algorithm}`).map((hex) => `blobs/${algorithm}/${hex}`),
      );
      const files: OutgoingFile[] = ['oci-layout', 'index.json', ...blobs.toSorted()].map((name) => ({ name, path: `${work}/${name}` }));
      await putTogether(path, files);
    },
    close: async () => rmSync(work, { recursive: true, force: true }),
  };
}
