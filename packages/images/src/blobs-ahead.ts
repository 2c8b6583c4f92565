/**
 * Layers' blobs, opened before they are asked for: while a layer is being applied, nobody waits for the next one's to be found and opened.
 *
 * Knows: which of one stack's are open, and that they are closed with it.
 * Does not know: what is done with them.
 */
import type { ContentStore } from '@slipway/content';
import type { ReadHandle } from '@slipway/kernel';
import type { Digest } from '@slipway/oci';

export class BlobsAhead<Layer extends { readonly descriptor: { readonly digest: Digest } }> implements AsyncDisposable {
  readonly #content: Pick<ContentStore, 'stat' | 'open'>;
  /** Two layers may have the same blob. */
  readonly #opened = new Map<Layer, Promise<ReadHandle | undefined>>();

  constructor(content: Pick<ContentStore, 'stat' | 'open'>) {
    this.#content = content;
  }

  /** The layer's blob, this object's to close; undefined when it is not here yet. */
  async find(layer: Layer): Promise<ReadHandle | undefined> {
    const opening = this.#opened.get(layer) ?? this.#openIfHere(layer);
    this.#opened.set(layer, opening);
    const blob = await opening.catch(() => undefined); // told to who cannot do without it
    if (blob === undefined) this.#opened.delete(layer);
    return blob;
  }

  /** As {@link find}. @throws `not-found` / `E_BLOB_NOT_FOUND` */
  async open(layer: Layer): Promise<ReadHandle> {
    const found = await this.find(layer);
    if (found !== undefined) return found;
    const blob = await this.#content.open(layer.descriptor.digest);
    this.#opened.set(layer, Promise.resolve(blob));
    return blob;
  }

  /** Closes the layer's blob. */
  async release(layer: Layer): Promise<void> {
    const opened = this.#opened.get(layer);
    this.#opened.delete(layer);
    await (await opened?.catch(() => undefined))?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const layer of [...this.#opened.keys()]) await this.release(layer);
  }

  async #openIfHere({ descriptor: { digest } }: Layer): Promise<ReadHandle | undefined> {
    return (await this.#content.stat(digest)) === undefined ? undefined : await this.#content.open(digest);
  }
}
