/**
 * A store, and beside it repositories that are as they are.
 *
 * Knows: which repository is whose. A fixed one takes nothing in and gives nothing up.
 * Does not know: how either keeps its bytes.
 */
import { EngineError } from '@slipway/errors';
import type { Listing, Page, RegistryBackend } from '../backend.ts';
import { type FixedRepository, type LayoutImages, readAll } from './layout-images.ts';

export function withFixedImages(store: RegistryBackend, layout: LayoutImages): RegistryBackend {
  const find = (repository: string) => layout.repositories.get(repository);
  const own = (repository: string): RegistryBackend => {
    if (find(repository) === undefined) return store;
    throw new EngineError('permission-denied', `${repository} is one of the images that this registry always has`, {
      code: 'E_REPOSITORY_FIXED',
      op: 'registry.change',
      subject: repository,
      hint: 'Push under another name.',
    });
  };
  return {
    ...reads(store, layout, find),
    mountBlob: async (repository, digest, from) =>
      from !== undefined && find(from) !== undefined ? false : await own(repository).mountBlob(repository, digest, from),
    deleteBlob: async (repository, digest) => await own(repository).deleteBlob(repository, digest),
    beginUpload: (repository) => own(repository).beginUpload(repository),
    findUpload: (repository, id) => store.findUpload(repository, id),
    putManifest: async (repository, reference, document) => await own(repository).putManifest(repository, reference, document),
    deleteManifest: async (repository, reference) => await own(repository).deleteManifest(repository, reference),
  };
}

type Reads = Pick<
  RegistryBackend,
  'statBlob' | 'openBlob' | 'findManifest' | 'readManifest' | 'listTags' | 'listReferrers' | 'listRepositories'
>;

function reads(store: RegistryBackend, layout: LayoutImages, find: (repository: string) => FixedRepository | undefined): Reads {
  return {
    openBlob: async (repository, digest) => {
      const fixed = find(repository);
      if (fixed === undefined) return await store.openBlob(repository, digest);
      return fixed.blobs.has(digest) ? await layout.open(digest) : undefined;
    },
    statBlob: async (repository, digest) => {
      const fixed = find(repository);
      if (fixed === undefined) return await store.statBlob(repository, digest);
      const blob = fixed.blobs.has(digest) ? await layout.open(digest) : undefined;
      await blob?.close();
      return blob?.sizeBytes;
    },
    findManifest: async (repository, reference) => {
      const fixed = find(repository);
      if (fixed === undefined) return await store.findManifest(repository, reference);
      const digest = 'tag' in reference ? fixed.tags.get(reference.tag) : reference.digest;
      return digest && fixed.manifests.get(digest);
    },
    readManifest: async (repository, digest) => {
      const blob = find(repository) === undefined ? undefined : await layout.open(digest);
      if (blob === undefined) return await store.readManifest(repository, digest);
      return await readAll(blob).finally(() => blob.close());
    },
    listTags: async (repository, page) => {
      const fixed = find(repository);
      return fixed === undefined ? await store.listTags(repository, page) : merge([...fixed.tags.keys()], { entries: [] }, page);
    },
    listReferrers: async (repository, subject, page) => await store.listReferrers(repository, subject, page),
    listRepositories: async (page) => merge([...layout.repositories.keys()], await store.listRepositories(page), page),
  };
}

/** One page of both lists, sorted. */
function merge(fixed: readonly string[], listed: Listing<string>, { limit = 1000, after = '' }: Page): Listing<string> {
  const mine = fixed.filter((name) => name > after && (listed.next === undefined || name <= listed.next));
  const all = [...new Set([...mine, ...listed.entries])].sort();
  const entries = all.slice(0, limit);
  const last = entries.at(-1);
  const isCut = all.length > limit || listed.next !== undefined;
  return isCut && last !== undefined ? { entries, next: last } : { entries };
}
