/**
 * The machine's own registry, asked for documents and for where things are.
 *
 * Knows: the distribution API as far as looking at images needs it; answers are bounded and followed nowhere.
 * Does not know: what the documents mean.
 *
 * @spec distribution-spec/spec.md#pull
 */
import { type Digest, digestOf, isDigest, isObject, MediaTypes } from '@slipway/oci';

export interface ServedDocument {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
  /** From the registry's root, by digest. */
  readonly at: string;
}

const MANIFESTS = [MediaTypes.ociIndex, MediaTypes.dockerManifestList, MediaTypes.ociManifest, MediaTypes.dockerManifest].join(', ');
/** By which slipwayd keeps these requests out of the journal (apps/slipwayd/src/registry.ts). */
const USER_AGENT = 'slipway-workbench';
const PATIENCE_MS = 10_000;
const MAX_LIST_BYTES = 256 * 1024;
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;
const MAX_REPOSITORIES = 100;
const MAX_TAGS = 50;

/** Everything answers with nothing when there is no registry, or when it does not have it. */
export class MachineRegistry {
  readonly #origin: string;
  #isSilent = false;

  /** @param origin `http://127.0.0.1:5000` */
  constructor(origin: string) {
    this.#origin = origin;
  }

  /** Nobody answered the newest request: what is missing may be there all the same. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** @param target tag or digest */
  async manifest(repository: string, target: string): Promise<ServedDocument | undefined> {
    const answer = await this.#get(`/v2/${repository}/manifests/${target}`, MAX_DOCUMENT_BYTES, { accept: MANIFESTS });
    if (answer === undefined) return undefined;
    const digest = digestOf(answer.bytes);
    if (isDigest(target) && target.startsWith('sha256:') && digest !== target) return undefined;
    const mediaType = answer.contentType.replace(/;.*$/, '').trim();
    return { digest, mediaType, bytes: answer.bytes, at: `/v2/${repository}/manifests/${digest}` };
  }

  /** A small blob, checked against its digest. */
  async blob(repository: string, digest: Digest): Promise<Buffer | undefined> {
    const answer = await this.#get(`/v2/${repository}/blobs/${digest}`, MAX_DOCUMENT_BYTES);
    return answer !== undefined && digestOf(answer.bytes) === digest ? answer.bytes : undefined;
  }

  /** Repositories with their tags; a bounded number of each. */
  async list(): Promise<readonly { readonly repository: string; readonly tags: readonly string[] }[]> {
    const names = await this.#texts(`/v2/_catalog?n=${MAX_REPOSITORIES}`, 'repositories');
    return await Promise.all(
      names
        .filter((name) => /^[a-z0-9._/-]{1,255}$/.test(name))
        .slice(0, MAX_REPOSITORIES)
        .map(async (repository) => ({
          repository,
          tags: (await this.#texts(`/v2/${repository}/tags/list?n=${MAX_TAGS}`, 'tags')).filter((tag) => /^[\w.-]{1,128}$/.test(tag)),
        })),
    );
  }

  async #texts(path: string, field: string): Promise<readonly string[]> {
    const answer = await this.#get(path, MAX_LIST_BYTES);
    const value = answer === undefined ? undefined : parse(answer.bytes)?.[field];
    return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
  }

  async #get(path: string, maxBytes: number, headers: Readonly<Record<string, string>> = {}) {
    const response = await this.#ask(path, headers);
    if (response === undefined) return undefined;
    if (!response.ok) {
      await response.body?.cancel();
      return undefined;
    }
    const bytes = await readBounded(response, maxBytes);
    return bytes && { bytes, contentType: response.headers.get('content-type') ?? '' };
  }

  async #ask(path: string, headers: Readonly<Record<string, string>>) {
    try {
      const response = await fetch(`${this.#origin}${path}`, {
        headers: { ...headers, 'user-agent': USER_AGENT },
        redirect: 'error',
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      this.#isSilent = false;
      return response;
    } catch {
      this.#isSilent = true;
      return undefined; // nobody listens, or a redirect, or too slow: as if it were not there
    }
  }
}

async function readBounded(response: Response, maxBytes: number): Promise<Buffer | undefined> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const piece of response.body ?? []) {
      length += piece.byteLength;
      if (length > maxBytes) return undefined;
      pieces.push(piece);
    }
  } catch {
    return undefined; // broken off
  }
  return Buffer.concat(pieces);
}

function parse(bytes: Buffer) {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
