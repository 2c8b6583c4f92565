/** What a registry that can be tidied promises. @spec distribution-spec/spec.md#content-management */
import { expect } from 'vitest';
import { testBlob, testImage } from './images.ts';
import { pushBlob, pushManifest } from './pushing.ts';
import { json, send } from './registry-client.ts';
import type { Statement } from './suite.ts';

export const MANAGEMENT: readonly Statement[] = [
  {
    title: 'a deleted tag is gone, its manifest is not',
    body: async (origin, repository) => {
      const image = testImage(repository);
      await pushManifest(origin, repository, image, 'one');
      await pushManifest(origin, repository, image, 'two');
      expect((await send(origin, 'DELETE', `/v2/${repository}/manifests/one`)).status).toBe(202);
      expect((await send(origin, 'GET', `/v2/${repository}/manifests/one`)).status).toBe(404);
      for (const reference of ['two', image.digest]) {
        const reply = await send(origin, 'HEAD', `/v2/${repository}/manifests/${reference}`, { headers: { Accept: image.mediaType } });
        expect(reply.status).toBe(200);
      }
    },
  },
  {
    title: 'a deleted manifest takes its tags with it',
    body: async (origin, repository) => {
      const [image, other] = [testImage(repository), testImage(`${repository} other`)];
      await pushManifest(origin, repository, image, 'a');
      await pushManifest(origin, repository, image, 'b');
      await pushManifest(origin, repository, other, 'c');
      expect((await send(origin, 'DELETE', `/v2/${repository}/manifests/${image.digest}`)).status).toBe(202);
      expect((await send(origin, 'GET', `/v2/${repository}/manifests/${image.digest}`)).status).toBe(404);
      expect(json(await send(origin, 'GET', `/v2/${repository}/tags/list`))['tags']).toEqual(['c']);
    },
  },
  {
    title: 'what is not there cannot be deleted',
    body: async (origin, repository) => {
      await pushManifest(origin, repository, testImage(repository), 'a');
      const digest = `sha256:${'3'.repeat(64)}`;
      for (const path of [`manifests/${digest}`, `blobs/${digest}`]) {
        expect((await send(origin, 'DELETE', `/v2/${repository}/${path}`)).status).toBe(404);
      }
    },
  },
  {
    title: 'a deleted blob is gone from its repository, and from no other',
    body: async (origin, repository) => {
      const blob = testBlob(`deleted in ${repository}`);
      for (const name of [repository, `${repository}-b`]) await pushBlob(origin, name, blob);
      const { digest } = blob.descriptor;
      expect((await send(origin, 'DELETE', `/v2/${repository}/blobs/${digest}`)).status).toBe(202);
      expect((await send(origin, 'GET', `/v2/${repository}/blobs/${digest}`)).status).toBe(404);
      expect((await send(origin, 'GET', `/v2/${repository}-b/blobs/${digest}`)).body).toEqual(blob.bytes);
    },
  },
  {
    title: 'a blob that was deleted can be pushed again',
    body: async (origin, repository) => {
      const blob = testBlob(`again ${repository}`);
      await pushBlob(origin, repository, blob);
      await send(origin, 'DELETE', `/v2/${repository}/blobs/${blob.descriptor.digest}`);
      await pushBlob(origin, repository, blob);
      expect((await send(origin, 'GET', `/v2/${repository}/blobs/${blob.descriptor.digest}`)).body).toEqual(blob.bytes);
    },
  },
  {
    title: 'an unknown method is 405',
    body: async (origin, repository) => {
      expect((await send(origin, 'POST', `/v2/${repository}/manifests/latest`, { body: '' })).status).toBe(405);
    },
  },
];
