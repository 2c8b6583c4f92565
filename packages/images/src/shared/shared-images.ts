/**
 * Images that many stores use and none has a copy of: unpacked once, read-only, by somebody else.
 *
 *     <directory>/blobs/sha256/<hex>   manifests, configs and layers, as in an OCI layout
 *                 layers/<hex>/fs      each layer unpacked, in overlay's form; <hex> begins its chain id
 *                 layers.json          which layers those are; written last
 *
 * A store finds blobs and layers here as if it had them already: a pull fetches and unpacks nothing of them, a container stands on these
 * directories, and removing an image removes its name.
 *
 * Knows: these files. Does not know: who made them (write-shared-images.ts), or that they may be an id-mapped mount.
 */
import { BlobDirectory, type BlobReader } from '@slipway/content';
import { EngineError } from '@slipway/errors';
import { findText, inUserNamespace, runProgram } from '@slipway/kernel';
import { type ChainId, isDigest, isObject } from '@slipway/oci';

export interface SharedLayer {
  readonly chainId: ChainId;
  /** Of its files, see ImageTable.recordLayer. */
  readonly fileBytes: number;
}

/** File in a store's root: the path of the directory of shared images that it uses. */
export const SHARED_NOTE = 'shared-images';

const MAX_LIST_BYTES = 1024 * 1024;
/** Enough that no two layers of one directory begin alike; whoever writes makes sure. */
const NAME_DIGITS = 16;

export function sharedFiles(directory: string) {
  return {
    list: `${directory}/layers.json`,
    layers: `${directory}/layers`,
    /** Holds `fs`. Named by what is in it, so that it can be missing one day, but never be another. */
    layer: (chainId: ChainId) => `${directory}/layers/${chainId.slice('sha256:'.length, 'sha256:'.length + NAME_DIGITS)}`,
  };
}

export class SharedImages {
  readonly blobs: BlobReader;
  readonly #directory: string;
  readonly #layers: ReadonlyMap<ChainId, SharedLayer>;

  private constructor(directory: string, layers: readonly SharedLayer[]) {
    this.blobs = new BlobDirectory(directory);
    this.#directory = directory;
    this.#layers = new Map(layers.map((layer) => [layer.chainId, layer]));
  }

  /** @throws `invalid-argument` / `E_SHARED_IMAGES` when nothing of the kind is there */
  static async open(directory: string): Promise<SharedImages> {
    const text = await findText(sharedFiles(directory).list, { maxBytes: MAX_LIST_BYTES });
    return new SharedImages(directory, parseList(text ?? '', directory));
  }

  /**
   * Why overlay does not take these layers as lower directories; undefined when it does. Of an id-mapped mount it does since Linux 5.19,
   * and not of every file system: so it is tried, in a mount namespace of its own.
   * @param place an existing directory, seen as a layer and mounted upon
   */
  async refusedBy(place: string): Promise<string | undefined> {
    const [layer] = this.#layers.keys();
    if (layer === undefined) return undefined;
    const lower = `${sharedFiles(this.#directory).layer(layer)}/fs`;
    const options = `ro,lowerdir=${lower}:${place}${inUserNamespace() ? ',userxattr' : ''}`;
    const args = ['--mount', '--', 'mount', '-n', '-t', 'overlay', '-o', options, 'overlay', place];
    const { exitCode, stderr } = await runProgram({ program: 'unshare', args });
    return exitCode === 0 ? undefined : stderr.trim().slice(0, 300);
  }

  /** undefined when it is not among them. */
  find(chainId: ChainId): (SharedLayer & { readonly directory: string }) | undefined {
    const layer = this.#layers.get(chainId);
    return layer && { ...layer, directory: sharedFiles(this.#directory).layer(chainId) };
  }
}

export function formatList(layers: readonly SharedLayer[]): string {
  return JSON.stringify({ layers });
}

function parseList(text: string, directory: string): readonly SharedLayer[] {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value) && Array.isArray(value['layers'])) return value['layers'].map(parseLayer);
  } catch {
    // said below
  }
  throw new EngineError('invalid-argument', `${JSON.stringify(directory)} holds no shared images`, {
    code: 'E_SHARED_IMAGES',
    op: 'image.share',
    subject: directory,
    hint: 'Name a directory with a layers.json, as set-up makes one.',
  });
}

/** @throws for anything else */
function parseLayer(value: unknown): SharedLayer {
  const { chainId, fileBytes } = isObject(value) ? value : {};
  if (typeof chainId === 'string' && isDigest(chainId) && typeof fileBytes === 'number' && Number.isSafeInteger(fileBytes))
    return { chainId: chainId as string as ChainId, fileBytes };
  throw new TypeError('no layer');
}
