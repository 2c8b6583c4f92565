/**
 * The engine's blobs, read beside the engine.
 *
 * Knows: where they lie, and that bytes are believed only by their digest.
 * Does not know: images.
 */
import { findText, listNames, statStored } from '@slipway/kernel';
import { type Digest, digestOf, isDigest, isObject } from '@slipway/oci';

const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;
/** Manifests are small: what is larger is not looked into while one is searched. */
const MAX_MANIFEST_BYTES = 64 * 1024;
const MAX_LOOKED_AT = 2000;

export class EngineBlobs {
  readonly #root: string;

  /** @param root of the content store */
  constructor(root: string) {
    this.#root = root;
  }

  /** The file of a blob that is here. */
  async find(digest: Digest): Promise<string | undefined> {
    const path = `${this.#root}/blobs/${digest.replace(':', '/')}`;
    return (await statStored(path)) === undefined ? undefined : path;
  }

  /** A document, checked against its digest. */
  async read(digest: Digest): Promise<Buffer | undefined> {
    const text = await findText(`${this.#root}/blobs/${digest.replace(':', '/')}`, { maxBytes: MAX_DOCUMENT_BYTES }).catch(() => undefined);
    if (text === undefined) return undefined;
    const bytes = Buffer.from(text);
    return !digest.startsWith('sha256:') || digestOf(bytes) === digest ? bytes : undefined;
  }

  /** The manifest whose config this is: of an image that came by index, or was built here, no name says it. */
  async manifestOf(config: Digest): Promise<Digest | undefined> {
    for (const hex of (await listNames(`${this.#root}/blobs/sha256`)).slice(0, MAX_LOOKED_AT)) {
      const digest = `sha256:${hex}`;
      if (!isDigest(digest)) continue;
      const info = await statStored(`${this.#root}/blobs/sha256/${hex}`);
      if (info === undefined || info.sizeBytes > MAX_MANIFEST_BYTES) continue;
      const text = (await this.read(digest))?.toString('utf8') ?? '';
      if (text.startsWith('{') && text.includes(config) && configDigest(text) === config) return digest;
    }
    return undefined;
  }
}

function configDigest(text: string): unknown {
  try {
    const document: unknown = JSON.parse(text);
    const config = isObject(document) ? document['config'] : undefined;
    return isObject(config) ? config['digest'] : undefined;
  } catch {
    return undefined;
  }
}
