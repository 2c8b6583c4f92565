/**
 * Paths of the API as what they name.
 *
 * Knows: the grammar of paths, and that no name leaves here unchecked.
 * Does not know: what methods a path has.
 *
 * @spec distribution-spec/spec.md#endpoints
 */
import { type Digest, isRepositoryPath, isTag, parseDigest } from '@slipway/oci';
import type { ManifestReference } from './backend.ts';
import { refuse } from './registry-failure.ts';

export type Target =
  | { readonly kind: 'base' | 'catalog' }
  | { readonly kind: 'tags' | 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'blob' | 'referrers'; readonly repository: string; readonly digest: Digest }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: ManifestReference };

export type TargetKind = Target['kind'];

/** Greedy: a repository may have a component that is called `blobs`. */
const BELOW = /^\/v2\/(.+)\/(?:(tags)\/list|(blobs)\/uploads\/?|blobs\/(uploads)\/([^/]+)|(blobs|manifests|referrers)\/([^/]+))$/;

/**
 * @param path still percent-encoded; undefined comes back for a path that is none of the API's
 * @throws EngineError for a name, tag or digest outside its grammar
 */
export function parseTarget(path: string): Target | undefined {
  const decoded = decode(path);
  if (/^\/v2\/?$/.test(decoded)) return { kind: 'base' };
  if (decoded === '/v2/_catalog') return { kind: 'catalog' };
  const [, name, tags, starts, upload, id = '', kind, what = ''] = BELOW.exec(decoded) ?? [];
  if (name === undefined) return undefined;
  const repository = requireRepository(name);
  if (tags !== undefined) return { kind: 'tags', repository };
  if (starts !== undefined) return { kind: 'uploads', repository };
  if (upload !== undefined) return { kind: 'upload', repository, id };
  if (kind === 'manifests') return { kind: 'manifest', repository, reference: parseManifestReference(what) };
  return { kind: kind === 'blobs' ? 'blob' : 'referrers', repository, digest: parseDigest(what) };
}

/** @throws EngineError `invalid-argument` / `E_REPOSITORY_NAME` */
export function requireRepository(name: string): string {
  if (isRepositoryPath(name)) return name;
  throw refuse(
    'invalid-argument',
    'E_REPOSITORY_NAME',
    `${JSON.stringify(name.slice(0, 300))} is not a repository's name`,
    name.slice(0, 300),
  );
}

function parseManifestReference(text: string): ManifestReference {
  if (text.includes(':')) return { digest: parseDigest(text) };
  if (isTag(text)) return { tag: text };
  throw refuse('invalid-argument', 'E_TAG_INVALID', `${JSON.stringify(text.slice(0, 160))} is neither tag nor digest`, text.slice(0, 160));
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw refuse('invalid-argument', 'E_REGISTRY_REQUEST', 'the path is not percent-encoded UTF-8');
  }
}
