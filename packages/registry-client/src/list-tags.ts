/**
 * The tags of a repository, page after page.
 *
 * Knows: how pages are linked, and that a list has to end.
 * Does not know: what a tag names.
 *
 * @spec distribution-spec/spec.md#listing-tags
 */
import { isObject, isTag, parseJsonObject } from '@slipway/oci';
import { readBounded } from './read-body.ts';
import { brokenAnswer } from './registry-errors.ts';
import type { RegistrySession } from './session.ts';

const MAX_PAGE_BYTES = 4 * 1024 * 1024;
const MAX_PAGES = 1000;

export interface ListRequest {
  readonly session: RegistrySession;
  readonly path: string;
  readonly scopes: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** @throws EngineError `not-found` / `E_REGISTRY_NOT_FOUND`; `invalid-argument` / `E_REGISTRY_ANSWER` */
export async function listTags({ session, path, scopes, signal }: ListRequest): Promise<readonly string[]> {
  const tags: string[] = [];
  let url: URL | undefined = new URL(`/v2/${path}/tags/list`, session.registry.url);
  for (let pages = 0; url !== undefined; pages++) {
    const here: URL = url;
    if (pages >= MAX_PAGES) throw brokenAnswer(here, 'its list of tags has no end');
    const response = await session.patiently(
      () => session.require({ method: 'GET', url: here, scopes, signal }, `no repository ${path}`),
      signal,
    );
    const document = parseJsonObject('list of tags', await readBounded(response.body, MAX_PAGE_BYTES), MAX_PAGE_BYTES);
    const list = isObject(document) ? (document['tags'] ?? []) : [];
    if (!Array.isArray(list)) throw brokenAnswer(here, 'its tags are no list');
    tags.push(...list.filter((tag): tag is string => typeof tag === 'string' && isTag(tag)));
    url = nextPage([response.headers.link ?? ''].flat().join(','), here);
  }
  return tags;
}

/** Only the registry itself may say where its list goes on. */
function nextPage(link: string, from: URL): URL | undefined {
  const target = /<([^>]+)>\s*;\s*rel="?next"?/.exec(link)?.[1];
  if (target === undefined) return undefined;
  const url = URL.parse(target, from);
  if (url === null || url.origin !== from.origin) throw brokenAnswer(from, 'its list goes on elsewhere');
  return url;
}
