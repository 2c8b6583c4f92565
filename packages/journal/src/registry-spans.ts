/**
 * What the span of a registry's request carries. One span for each request, written when it has ended; its parent is the
 * pull or push that it belongs to, where the client says so, as this engine does to registries on its own host.
 *
 *     GET /v2/busybox/blobs/sha256:…   request RegistryRequest   response RegistryAnswer
 *
 * Knows: the shapes.
 * Does not know: registries.
 */

export interface RegistryRequest {
  readonly method: string;
  /** What the path names; absent: nothing that a registry has. */
  readonly kind?: 'base' | 'catalog' | 'tags' | 'uploads' | 'upload' | 'blob' | 'referrers' | 'manifest';
  readonly repository?: string;
  /** A manifest that was asked for by name. */
  readonly tag?: string;
  /** A blob's or manifest's that was asked for or pushed by digest, or the one that ends an upload. */
  readonly digest?: string;
  /** The first characters of an upload's name: enough to tell it from others, too little to write to it. */
  readonly upload?: string;
  /** A blob that is to be taken from another repository. */
  readonly mount?: { readonly digest: string; readonly from?: string };
  /** As sent: `bytes=100-` of a download, `100-199` of a chunk. */
  readonly range?: string;
  readonly userAgent?: string;
}

export interface RegistryAnswer {
  /** Absent: the client went away before there was one. */
  readonly status?: number;
  /** Of a manifest by tag or anything pushed. */
  readonly digest?: string;
  /** `bytes 100-999/1000` of a download, `0-199` of an upload so far. */
  readonly range?: string;
  /** Of the answer's body, handed to the kernel. */
  readonly bytes: number;
  /** How many bytes the body has, where that was said before it went out; more than `bytes`: it broke off. */
  readonly length?: number;
  /** Of the request's body. */
  readonly received: number;
}
