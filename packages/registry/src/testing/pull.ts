/** What a registry that can be pulled from promises. @spec distribution-spec/spec.md#pull */
import { MediaTypes } from '@slipway/oci';
import { expect } from 'vitest';
import { testBlob, testImage, testIndex } from './images.ts';
import { pushBlob, pushManifest } from './pushing.ts';
import { errorCodes, send } from './registry-client.ts';
import type { Statement } from './suite.ts';

const UNKNOWN_DIGEST = `sha256:${'0'.repeat(64)}`;

export const PULL: readonly Statement[] = [
  {
    title: 'GET /v2/ says that this is a registry',
    body: async (origin) => {
      expect((await send(origin, 'GET', '/v2/')).status).toBe(200);
    },
  },
  {
    title: 'a manifest comes by tag and by digest, byte for byte, with its type',
    body: async (origin, repository) => {
      const image = testImage(repository);
      await pushManifest(origin, repository, image, 'latest');
      for (const reference of ['latest', image.digest]) {
        const reply = await send(origin, 'GET', `/v2/${repository}/manifests/${reference}`, { headers: { Accept: image.mediaType } });
        expect(reply.status).toBe(200);
        expect(reply.body).toEqual(image.bytes);
        expect(reply.headers).toMatchObject({ 'content-type': image.mediaType, 'docker-content-digest': image.digest });
      }
    },
  },
  {
    title: 'HEAD of a manifest says what GET would, without the body',
    body: async (origin, repository) => {
      const image = testImage(repository);
      await pushManifest(origin, repository, image, 'v1');
      const reply = await send(origin, 'HEAD', `/v2/${repository}/manifests/v1`, { headers: { Accept: image.mediaType } });
      expect(reply).toMatchObject({ status: 200, body: Buffer.alloc(0) });
      expect(reply.headers).toMatchObject({ 'content-length': String(image.bytes.byteLength), 'docker-content-digest': image.digest });
    },
  },
  {
    title: 'an index comes as it was pushed, and its manifests beside it',
    body: async (origin, repository) => {
      const [one, two] = [testImage(`${repository} one`), testImage(`${repository} two`)];
      await pushManifest(origin, repository, one);
      await pushManifest(origin, repository, two);
      const index = testIndex([one, two]);
      await pushManifest(origin, repository, index, 'all');
      const reply = await send(origin, 'GET', `/v2/${repository}/manifests/all`, { headers: { Accept: MediaTypes.ociIndex } });
      expect(reply).toMatchObject({ status: 200, body: index.bytes });
      expect(reply.headers['content-type']).toBe(MediaTypes.ociIndex);
    },
  },
  {
    title: 'a manifest that is not there is MANIFEST_UNKNOWN, with GET and HEAD',
    body: async (origin, repository) => {
      await pushManifest(origin, repository, testImage(repository), 'here');
      for (const reference of ['gone', UNKNOWN_DIGEST]) {
        const reply = await send(origin, 'GET', `/v2/${repository}/manifests/${reference}`);
        expect(reply.status).toBe(404);
        expect(errorCodes(reply)).toEqual(['MANIFEST_UNKNOWN']);
        expect((await send(origin, 'HEAD', `/v2/${repository}/manifests/${reference}`)).status).toBe(404);
      }
    },
  },
  {
    title: 'a blob comes byte for byte, with its length',
    body: async (origin, repository) => {
      const blob = testBlob(`blob of ${repository}`);
      await pushBlob(origin, repository, blob);
      const reply = await send(origin, 'GET', `/v2/${repository}/blobs/${blob.descriptor.digest}`);
      expect(reply).toMatchObject({ status: 200, body: blob.bytes });
      expect(reply.headers['content-length']).toBe(String(blob.bytes.byteLength));
      const head = await send(origin, 'HEAD', `/v2/${repository}/blobs/${blob.descriptor.digest}`);
      expect(head).toMatchObject({ status: 200, body: Buffer.alloc(0) });
      expect(head.headers).toMatchObject({
        'content-length': String(blob.bytes.byteLength),
        'docker-content-digest': blob.descriptor.digest,
      });
    },
  },
  {
    title: 'a blob that is not there is BLOB_UNKNOWN, with GET and HEAD',
    body: async (origin, repository) => {
      await pushBlob(origin, repository, testBlob(repository));
      const reply = await send(origin, 'GET', `/v2/${repository}/blobs/${UNKNOWN_DIGEST}`);
      expect(reply.status).toBe(404);
      expect(errorCodes(reply)).toEqual(['BLOB_UNKNOWN']);
      expect((await send(origin, 'HEAD', `/v2/${repository}/blobs/${UNKNOWN_DIGEST}`)).status).toBe(404);
    },
  },
  {
    title: 'a blob is its repository’s: another one does not have it',
    body: async (origin, repository) => {
      const blob = testBlob(`private to ${repository}`);
      await pushBlob(origin, repository, blob);
      await pushBlob(origin, `${repository}-other`, testBlob('other'));
      expect((await send(origin, 'GET', `/v2/${repository}-other/blobs/${blob.descriptor.digest}`)).status).toBe(404);
    },
  },
  ...[
    { range: 'bytes=0-3', part: [0, 4], of: 'its first bytes' },
    { range: 'bytes=4-9', part: [4, 10], of: 'bytes in the middle' },
    { range: 'bytes=10-', part: [10, 20], of: 'all from one on' },
    { range: 'bytes=-5', part: [15, 20], of: 'its last bytes' },
    { range: 'bytes=18-99', part: [18, 20], of: 'more than is left' },
  ].map(
    ({ range, part: [from = 0, to = 0], of }): Statement => ({
      title: `a part of a blob: ${of}`,
      body: async (origin, repository) => {
        const blob = testBlob('0123456789abcdefghij');
        await pushBlob(origin, repository, blob);
        const reply = await send(origin, 'GET', `/v2/${repository}/blobs/${blob.descriptor.digest}`, { headers: { Range: range } });
        expect(reply).toMatchObject({ status: 206, body: blob.bytes.subarray(from, to) });
        expect(reply.headers['content-range']).toBe(`bytes ${from}-${to - 1}/20`);
      },
    }),
  ),
  {
    title: 'a part beyond a blob’s end is 416',
    body: async (origin, repository) => {
      const blob = testBlob('short');
      await pushBlob(origin, repository, blob);
      const reply = await send(origin, 'GET', `/v2/${repository}/blobs/${blob.descriptor.digest}`, { headers: { Range: 'bytes=5-' } });
      expect(reply.status).toBe(416);
      expect(reply.headers['content-range']).toBe('bytes */5');
    },
  },
  {
    title: 'a repository with several components works like any other',
    body: async (origin, repository) => {
      const image = testImage(repository);
      const deep = `${repository}/a/blobs/uploads/manifests`;
      await pushManifest(origin, deep, image, 'x');
      expect((await send(origin, 'GET', `/v2/${deep}/manifests/x`, { headers: { Accept: image.mediaType } })).body).toEqual(image.bytes);
    },
  },
];
