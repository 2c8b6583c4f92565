/**
 * A file of a layer, opened from the layer's root name by name, so that no link leads out of it.
 *
 * Knows: single steps by descriptor. Does not know: what is read.
 */
import { ConfinedDirectory, confinedFile } from '@slipway/kernel';

/** Undefined when there is no regular file. What `use` gets is closed after it. */
export function withLayerFile<T>(root: string, names: readonly string[], use: (fd: number, sizeBytes: number) => T): T | undefined {
  const name = names.at(-1);
  let directory: ConfinedDirectory | undefined = ConfinedDirectory.open(root);
  try {
    for (const step of names.slice(0, -1)) {
      const next: ConfinedDirectory | undefined = directory.findChild(step);
      if (next === undefined) return undefined;
      directory.close();
      directory = next;
    }
    if (name === undefined || directory.stat(name)?.isFile() !== true) return undefined;
    const fd = directory.openFile(name);
    try {
      const info = confinedFile.stat(fd);
      return info.isFile() ? use(fd, Number(info.size)) : undefined;
    } finally {
      confinedFile.close(fd);
    }
  } finally {
    directory.close();
  }
}
