/**
 * Which directories of a writable overlay layer hide what lower layers have at the same place.
 *
 * The kernel makes every new directory opaque, also where nothing is below it, so the attribute alone says nothing: a lower layer must have
 * a directory there. Both are asked once for each directory, as neither changes while it is the same directory at the same place.
 *
 * Knows: the attribute's two names, and that each look at attributes costs a process.
 * Does not know: what else stands in the layer.
 */
import { ConfinedDirectory } from './confined.ts';
import { runProgram } from './program.ts';

/** A directory of the upper layer. */
export interface UpperDirectory {
  /** Absolute, from the layer's root. */
  readonly path: string;
  /** Inode and birth: another one at the same path is another directory, also when it got the number of the one before. */
  readonly identity: string;
}

const PATTERN = '^(trusted|user)\\.overlay\\.opaque$';
/** Of names on one command line; what does not fit is asked the next time. */
const MAX_ARGUMENT_BYTES = 96 * 1024;
const MAX_KNOWN = 2000;

export class OpaqueDirectories {
  readonly #lowers: readonly string[];
  readonly #known = new Map<string, boolean>();

  /** @param lowers roots of the layers below, in any order; they do not change */
  constructor(lowers: readonly string[]) {
    this.#lowers = lowers;
  }

  /** Paths of those that hide something. Empty also where getfattr is missing. */
  async among(upper: string, directories: readonly UpperDirectory[]): Promise<ReadonlySet<string>> {
    const unknown = directories.filter((directory) => !this.#known.has(keyOf(directory)));
    if (unknown.length > 0) await this.#ask(upper, unknown);
    return new Set(directories.filter((directory) => this.#known.get(keyOf(directory))).map(({ path }) => path));
  }

  async #ask(upper: string, directories: readonly UpperDirectory[]): Promise<void> {
    if (this.#known.size > MAX_KNOWN) this.#known.clear();
    let room = MAX_ARGUMENT_BYTES;
    const asked = directories.filter(({ path }) => {
      room -= Buffer.byteLength(upper + path) + 1;
      return room > 0;
    });
    const marked = await listMarked(asked.map(({ path }) => upper + path));
    for (const directory of asked) {
      this.#known.set(
        keyOf(directory),
        marked.has(upper + directory.path) && this.#lowers.some((lower) => hasDirectory(lower, directory.path)),
      );
    }
  }
}

async function listMarked(paths: readonly string[]): Promise<ReadonlySet<string>> {
  const args = ['--no-dereference', '--absolute-names', '--match', PATTERN, '--', ...paths];
  const result = await runProgram({ program: 'getfattr', args }).catch(() => undefined);
  const lines = result?.stdout.split('\n') ?? [];
  return new Set(lines.flatMap((line) => (line.startsWith('# file: ') ? [unquote(line.slice('# file: '.length))] : [])));
}

/** Awkward bytes are written as three octal digits. */
function unquote(text: string): string {
  const latin = Buffer.from(text).toString('latin1');
  return Buffer.from(
    latin.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    'latin1',
  ).toString();
}

/** Step by step, so that no link of a layer leads elsewhere. */
function hasDirectory(root: string, path: string): boolean {
  let directory: ConfinedDirectory | undefined;
  try {
    directory = ConfinedDirectory.open(root);
    for (const name of path.split('/').filter((part) => part !== '')) {
      const next: ConfinedDirectory | undefined = directory.findChild(name);
      directory.close();
      directory = next;
      if (directory === undefined) return false;
    }
    return true;
  } catch {
    return false; // removed with its image
  } finally {
    directory?.close();
  }
}

function keyOf({ path, identity }: UpperDirectory): string {
  return `${identity} ${path}`;
}
