/**
 * Discovery: tags, referrers, and the catalogue of repositories that docker's registry has always had.
 *
 * Knows: the lists' bodies and how their pages are linked.
 * Does not know: how much a page holds.
 *
 * @spec distribution-spec/spec.md#content-discovery
 */
import { type Digest, MediaTypes } from '@slipway/oci';
import { answer, type Exchange, nextLink, readPage } from './exchange.ts';
import { refuse } from './registry-failure.ts';

/** @spec distribution-spec/spec.md#listing-tags */
export async function listTags(exchange: Exchange, { repository }: { readonly repository: string }): Promise<void> {
  const { backend, query } = exchange;
  const tags = await backend.listTags(repository, readPage(query));
  if (tags === undefined) throw refuse('not-found', 'E_REPOSITORY_UNKNOWN', `no repository ${repository}`, repository);
  answer(exchange, 200, nextLink(`/v2/${repository}/tags/list`, query, tags.next), { name: repository, tags: tags.entries });
}

/** @spec distribution-spec/spec.md#listing-referrers */
export async function listReferrers(exchange: Exchange, target: { readonly repository: string; readonly digest: Digest }): Promise<void> {
  const { backend, query } = exchange;
  const { repository, digest } = target;
  const artifactType = query.get('artifactType') || undefined;
  const page = { ...readPage(query), ...(artifactType === undefined ? {} : { artifactType }) };
  const referrers = await backend.listReferrers(repository, digest, page);
  const headers = {
    'Content-Type': MediaTypes.ociIndex,
    ...nextLink(`/v2/${repository}/referrers/${digest}`, query, referrers.next),
    ...(artifactType === undefined ? {} : { 'OCI-Filters-Applied': 'artifactType' }),
  };
  const index = { schemaVersion: 2, mediaType: MediaTypes.ociIndex, manifests: referrers.entries };
  answer(exchange, 200, headers, index);
}

export async function listRepositories(exchange: Exchange): Promise<void> {
  const { backend, query } = exchange;
  const { entries, next } = await backend.listRepositories(readPage(query));
  answer(exchange, 200, nextLink('/v2/_catalog', query, next), { repositories: entries });
}
