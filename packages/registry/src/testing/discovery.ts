/** What a registry that can be searched promises. @spec distribution-spec/spec.md#content-discovery */
import { MediaTypes } from '@slipway/oci';
import { expect } from 'vitest';
import { testArtifact, testImage } from './images.ts';
import { pushManifest } from './pushing.ts';
import { errorCodes, json, type Reply, send } from './registry-client.ts';
import type { Statement } from './suite.ts';

async function pushTags(origin: string, repository: string, tags: readonly string[]): Promise<void> {
  const image = testImage(repository);
  for (const tag of tags) await pushManifest(origin, repository, image, tag);
}

const tagsOf = (reply: Reply) => json(reply)['tags'];

function referrersOf(reply: Reply): Record<string, unknown>[] {
  expect(reply.status).toBe(200);
  expect(reply.headers['content-type']).toBe(MediaTypes.ociIndex);
  const { manifests, ...index } = json(reply);
  expect(index).toMatchObject({ schemaVersion: 2, mediaType: MediaTypes.ociIndex });
  return manifests as Record<string, unknown>[];
}

const TAGS: readonly Statement[] = [
  {
    title: 'tags are listed in order',
    body: async (origin, repository) => {
      await pushTags(origin, repository, ['v2', 'latest', 'v1', '0.1']);
      expect(json(await send(origin, 'GET', `/v2/${repository}/tags/list`))).toEqual({
        name: repository,
        tags: ['0.1', 'latest', 'v1', 'v2'],
      });
    },
  },
  {
    title: 'n limits the list, and Link leads to the rest',
    body: async (origin, repository) => {
      await pushTags(origin, repository, ['a', 'b', 'c', 'd', 'e']);
      const pages = [];
      let path: string | undefined = `/v2/${repository}/tags/list?n=2`;
      while (path !== undefined && pages.length < 9) {
        const reply: Reply = await send(origin, 'GET', path);
        pages.push(tagsOf(reply));
        path = /<([^>]+)>; rel="next"/.exec(String(reply.headers.link))?.[1];
      }
      expect(pages).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
    },
  },
  {
    title: 'last begins the list after a tag, be it there or not',
    body: async (origin, repository) => {
      await pushTags(origin, repository, ['a', 'c', 'e']);
      expect(tagsOf(await send(origin, 'GET', `/v2/${repository}/tags/list?last=b`))).toEqual(['c', 'e']);
      expect(tagsOf(await send(origin, 'GET', `/v2/${repository}/tags/list?n=1&last=c`))).toEqual(['e']);
    },
  },
  {
    title: 'n=0 is an empty list',
    body: async (origin, repository) => {
      await pushTags(origin, repository, ['a']);
      const reply = await send(origin, 'GET', `/v2/${repository}/tags/list?n=0`);
      expect(tagsOf(reply)).toEqual([]);
      expect(reply.headers.link).toBeUndefined();
    },
  },
  {
    title: 'an n that is no number is refused',
    body: async (origin, repository) => {
      await pushTags(origin, repository, ['a']);
      expect((await send(origin, 'GET', `/v2/${repository}/tags/list?n=many`)).status).toBe(400);
    },
  },
  {
    title: 'a repository that is not there is NAME_UNKNOWN',
    body: async (origin, repository) => {
      const reply = await send(origin, 'GET', `/v2/${repository}/tags/list`);
      expect(reply.status).toBe(404);
      expect(errorCodes(reply)).toEqual(['NAME_UNKNOWN']);
    },
  },
  {
    title: 'the catalogue lists repositories',
    body: async (origin, repository) => {
      await pushTags(origin, repository, ['a']);
      const before = `${repository.slice(0, -1)}`;
      const reply = await send(origin, 'GET', `/v2/_catalog?n=1000&last=${encodeURIComponent(before)}`);
      expect(json(reply)['repositories']).toContain(repository);
    },
  },
];

const REFERRERS: readonly Statement[] = [
  {
    title: 'nothing refers to a digest: an empty index, not 404',
    body: async (origin, repository) => {
      const image = testImage(repository);
      await pushManifest(origin, repository, image);
      expect(referrersOf(await send(origin, 'GET', `/v2/${repository}/referrers/${image.digest}`))).toEqual([]);
    },
  },
  {
    title: 'referrers are described with type, artifact type, size and annotations',
    body: async (origin, repository) => {
      const image = testImage(repository);
      const signature = testArtifact('signature', 'application/x-signature', image);
      await pushManifest(origin, repository, signature);
      await pushManifest(origin, repository, image);
      expect(referrersOf(await send(origin, 'GET', `/v2/${repository}/referrers/${image.digest}`))).toEqual([
        { ...signature.descriptor, artifactType: 'application/x-signature', annotations: { 'org.example.seed': 'signature' } },
      ]);
    },
  },
  {
    title: 'an image that refers has its config’s type as artifact type',
    body: async (origin, repository) => {
      const subject = testImage(repository);
      const image = testImage(`${repository} 2`, { subject: subject.descriptor });
      await pushManifest(origin, repository, image);
      const [found] = referrersOf(await send(origin, 'GET', `/v2/${repository}/referrers/${subject.digest}`));
      expect(found).toMatchObject({ digest: image.digest, artifactType: MediaTypes.ociConfig });
    },
  },
  {
    title: 'artifactType filters, and the answer says so',
    body: async (origin, repository) => {
      const image = testImage(repository);
      const [a, b] = [testArtifact('a', 'application/x-a', image), testArtifact('b', 'application/x-b', image)];
      for (const artifact of [a, b]) await pushManifest(origin, repository, artifact);
      const all = await send(origin, 'GET', `/v2/${repository}/referrers/${image.digest}`);
      expect(referrersOf(all)).toHaveLength(2);
      expect(all.headers['oci-filters-applied']).toBeUndefined();
      const some = await send(origin, 'GET', `/v2/${repository}/referrers/${image.digest}?artifactType=application%2Fx-a`);
      expect(referrersOf(some).map(({ digest }) => digest)).toEqual([a.digest]);
      expect(some.headers['oci-filters-applied']).toBe('artifactType');
    },
  },
  {
    title: 'a deleted referrer is listed no longer',
    body: async (origin, repository) => {
      const image = testImage(repository);
      const artifact = testArtifact('a', 'application/x-a', image);
      await pushManifest(origin, repository, artifact);
      await send(origin, 'DELETE', `/v2/${repository}/manifests/${artifact.digest}`);
      expect(referrersOf(await send(origin, 'GET', `/v2/${repository}/referrers/${image.digest}`))).toEqual([]);
    },
  },
  {
    title: 'referrers of what is no digest are refused',
    body: async (origin, repository) => {
      await pushManifest(origin, repository, testImage(repository));
      expect((await send(origin, 'GET', `/v2/${repository}/referrers/latest`)).status).toBe(400);
    },
  },
];

export const DISCOVERY = [...TAGS, ...REFERRERS];
