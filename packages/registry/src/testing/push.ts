/** What a registry that can be pushed to promises. @spec distribution-spec/spec.md#push */
import { createHash } from 'node:crypto';
import { MediaTypes } from '@slipway/oci';
import { expect } from 'vitest';
import { testBlob, testImage, testIndex, testManifest } from './images.ts';
import { locationOf, pushBlob, pushManifest, putManifest, startUpload, withDigest } from './pushing.ts';
import { errorCodes, send } from './registry-client.ts';
import type { Statement } from './suite.ts';

const OCTETS = { 'Content-Type': 'application/octet-stream' };

const UPLOADS: readonly Statement[] = [
  {
    title: 'POST, then PUT of all bytes, makes a blob',
    body: async (origin, repository) => {
      const blob = testBlob(`put ${repository}`);
      const reply = await pushBlob(origin, repository, blob);
      expect(reply.headers['docker-content-digest']).toBe(blob.descriptor.digest);
      expect((await send(origin, 'GET', locationOf(reply))).body).toEqual(blob.bytes);
    },
  },
  {
    title: 'one POST with all bytes makes a blob',
    body: async (origin, repository) => {
      const blob = testBlob(`single ${repository}`);
      const path = withDigest(`/v2/${repository}/blobs/uploads/`, blob.descriptor.digest);
      const reply = await send(origin, 'POST', path, { body: blob.bytes, headers: OCTETS });
      expect(reply.status).toBe(201);
      expect((await send(origin, 'GET', locationOf(reply))).body).toEqual(blob.bytes);
    },
  },
  {
    title: 'an empty blob is a blob',
    body: async (origin, repository) => {
      const blob = testBlob('');
      await pushBlob(origin, repository, blob);
      expect((await send(origin, 'GET', `/v2/${repository}/blobs/${blob.descriptor.digest}`)).body).toHaveLength(0);
    },
  },
  {
    title: 'chunks in order make a blob, and each answer says how far the upload is',
    body: async (origin, repository) => {
      const blob = testBlob('0123456789abcdefghij');
      let location = await startUpload(origin, repository);
      for (const [from, to] of [
        [0, 7],
        [7, 20],
      ] as const) {
        const headers = { ...OCTETS, 'Content-Range': `${from}-${to - 1}` };
        const reply = await send(origin, 'PATCH', location, { body: blob.bytes.subarray(from, to), headers });
        expect(reply).toMatchObject({ status: 202, headers: { range: `0-${to - 1}` } });
        location = locationOf(reply);
      }
      const done = await send(origin, 'PUT', withDigest(location, blob.descriptor.digest), { body: '' });
      expect(done.status).toBe(201);
      expect((await send(origin, 'GET', locationOf(done))).body).toEqual(blob.bytes);
    },
  },
  {
    title: 'the last chunk may come with the PUT',
    body: async (origin, repository) => {
      const blob = testBlob('first and last');
      const location = await startUpload(origin, repository);
      const first = await send(origin, 'PATCH', location, {
        body: blob.bytes.subarray(0, 5),
        headers: { ...OCTETS, 'Content-Range': '0-4' },
      });
      const done = await send(origin, 'PUT', withDigest(locationOf(first), blob.descriptor.digest), {
        body: blob.bytes.subarray(5),
        headers: { ...OCTETS, 'Content-Range': '5-13' },
      });
      expect(done.status).toBe(201);
      expect((await send(origin, 'GET', locationOf(done))).body).toEqual(blob.bytes);
    },
  },
  {
    title: 'a PATCH without Content-Range streams',
    body: async (origin, repository) => {
      const blob = testBlob(`streamed ${repository}`);
      const location = await startUpload(origin, repository);
      const patched = await send(origin, 'PATCH', location, {
        body: blob.bytes,
        headers: { ...OCTETS, 'Transfer-Encoding': 'chunked' },
      });
      expect(patched.status).toBe(202);
      const done = await send(origin, 'PUT', withDigest(locationOf(patched), blob.descriptor.digest), { body: '' });
      expect(done.status).toBe(201);
    },
  },
  {
    title: 'a chunk out of order is 416, and the upload goes on [B37]',
    body: async (origin, repository) => {
      const blob = testBlob('0123456789');
      const location = await startUpload(origin, repository);
      const early = await send(origin, 'PATCH', location, { body: 'xx', headers: { ...OCTETS, 'Content-Range': '5-6' } });
      expect(early.status).toBe(416);
      const first = await send(origin, 'PATCH', location, {
        body: blob.bytes.subarray(0, 4),
        headers: { ...OCTETS, 'Content-Range': '0-3' },
      });
      expect(first.status).toBe(202);
      const again = await send(origin, 'PATCH', locationOf(first), {
        body: blob.bytes.subarray(0, 4),
        headers: { ...OCTETS, 'Content-Range': '0-3' },
      });
      expect(again.status).toBe(416);
      const done = await send(origin, 'PUT', withDigest(locationOf(first), blob.descriptor.digest), {
        body: blob.bytes.subarray(4),
        headers: { ...OCTETS, 'Content-Range': '4-9' },
      });
      expect(done.status).toBe(201);
    },
  },
  {
    title: 'GET of an upload says how far it is',
    body: async (origin, repository) => {
      const location = await startUpload(origin, repository);
      const patched = await send(origin, 'PATCH', location, { body: 'seven b', headers: { ...OCTETS, 'Content-Range': '0-6' } });
      const status = await send(origin, 'GET', locationOf(patched));
      expect(status).toMatchObject({ status: 204, headers: { range: '0-6' } });
      expect(locationOf(status)).toContain('/blobs/uploads/');
    },
  },
  {
    title: 'a cancelled upload is unknown afterwards',
    body: async (origin, repository) => {
      const location = await startUpload(origin, repository);
      expect((await send(origin, 'DELETE', location)).status).toBe(204);
      const reply = await send(origin, 'GET', location);
      expect(reply.status).toBe(404);
      expect(errorCodes(reply)).toEqual(['BLOB_UPLOAD_UNKNOWN']);
    },
  },
  {
    title: 'bytes with another digest than announced are DIGEST_INVALID and no blob',
    body: async (origin, repository) => {
      const [blob, other] = [testBlob('announced'), testBlob('delivered')];
      const location = await startUpload(origin, repository);
      const reply = await send(origin, 'PUT', withDigest(location, blob.descriptor.digest), { body: other.bytes, headers: OCTETS });
      expect(reply.status).toBe(400);
      expect(errorCodes(reply)).toEqual(['DIGEST_INVALID']);
      for (const { descriptor } of [blob, other]) {
        expect((await send(origin, 'HEAD', `/v2/${repository}/blobs/${descriptor.digest}`)).status).toBe(404);
      }
    },
  },
  {
    title: 'a blob may be addressed by sha512',
    body: async (origin, repository) => {
      const bytes = Buffer.from(`sha512 ${repository}`);
      const digest = `sha512:${createHash('sha512').update(bytes).digest('hex')}`;
      const location = await startUpload(origin, repository);
      const done = await send(origin, 'PUT', withDigest(location, digest), { body: bytes, headers: OCTETS });
      expect(done.status).toBe(201);
      expect((await send(origin, 'GET', `/v2/${repository}/blobs/${digest}`)).body).toEqual(bytes);
    },
  },
  {
    title: 'a blob of another repository is mounted without its bytes',
    body: async (origin, repository) => {
      const blob = testBlob(`mounted ${repository}`);
      await pushBlob(origin, repository, blob);
      const { digest } = blob.descriptor;
      const reply = await send(origin, 'POST', `/v2/${repository}-b/blobs/uploads/?mount=${digest}&from=${repository}`, { body: '' });
      expect(reply.status).toBe(201);
      expect((await send(origin, 'GET', locationOf(reply))).body).toEqual(blob.bytes);
    },
  },
  {
    title: 'a mount of what is not there becomes an upload',
    body: async (origin, repository) => {
      const path = `/v2/${repository}/blobs/uploads/?mount=sha256:${'1'.repeat(64)}&from=${repository}-none`;
      const reply = await send(origin, 'POST', path, { body: '' });
      expect(reply.status).toBe(202);
      expect(locationOf(reply)).toContain('/blobs/uploads/');
    },
  },
];

const MANIFESTS: readonly Statement[] = [
  {
    title: 'a pushed manifest’s digest is answered',
    body: async (origin, repository) => {
      const image = testImage(repository);
      const reply = await pushManifest(origin, repository, image, 'latest');
      expect(reply.headers['docker-content-digest']).toBe(image.digest);
      const pulled = await send(origin, 'GET', locationOf(reply), { headers: { Accept: image.mediaType } });
      expect(pulled.body).toEqual(image.bytes);
    },
  },
  {
    title: 'a tag moves',
    body: async (origin, repository) => {
      const [old, young] = [testImage(`${repository} old`), testImage(`${repository} young`)];
      await pushManifest(origin, repository, old, 'moving');
      await pushManifest(origin, repository, young, 'moving');
      const get = (reference: string) =>
        send(origin, 'GET', `/v2/${repository}/manifests/${reference}`, { headers: { Accept: old.mediaType } });
      expect((await get('moving')).body).toEqual(young.bytes);
      expect((await get(old.digest)).body).toEqual(old.bytes);
    },
  },
  {
    title: 'a manifest under a digest that is not its own is refused',
    body: async (origin, repository) => {
      const image = testImage(repository);
      await pushManifest(origin, repository, image);
      const reply = await putManifest(origin, repository, `sha256:${'2'.repeat(64)}`, image);
      expect(reply.status).toBe(400);
      expect(errorCodes(reply)).toEqual(['DIGEST_INVALID']);
    },
  },
  {
    title: 'a manifest whose layer is missing is refused, and names it',
    body: async (origin, repository) => {
      const image = testImage(repository);
      const [config, layer] = image.blobs;
      if (config !== undefined) await pushBlob(origin, repository, config);
      const reply = await putManifest(origin, repository, 'latest', image);
      expect([400, 404]).toContain(reply.status);
      expect(errorCodes(reply)).toEqual(['MANIFEST_BLOB_UNKNOWN']);
      expect(reply.body.toString()).toContain(layer?.descriptor.digest);
    },
  },
  {
    title: 'an index whose manifest is missing is refused',
    body: async (origin, repository) => {
      const reply = await putManifest(origin, repository, 'latest', testIndex([testImage(repository)]));
      expect([400, 404]).toContain(reply.status);
    },
  },
  {
    title: 'what is no manifest is MANIFEST_INVALID',
    body: async (origin, repository) => {
      const headers = { 'Content-Type': MediaTypes.ociManifest };
      const reply = await send(origin, 'PUT', `/v2/${repository}/manifests/latest`, { body: 'blablabla', headers });
      expect(reply.status).toBe(400);
      expect(errorCodes(reply)).toEqual(['MANIFEST_INVALID']);
    },
  },
  {
    title: 'manifests and layers in one document are refused [B19]',
    body: async (origin, repository) => {
      const image = testImage(repository);
      await pushManifest(origin, repository, image);
      const both = JSON.parse(image.bytes.toString()) as object;
      for (const type of [MediaTypes.ociManifest, MediaTypes.ociIndex]) {
        const document = testManifest({ ...both, mediaType: type, manifests: [image.descriptor] }, [], type);
        expect((await putManifest(origin, repository, 'both', document)).status).toBe(400);
      }
    },
  },
  {
    title: 'a Content-Type that is not the document’s is refused [B19]',
    body: async (origin, repository) => {
      const image = testImage(repository);
      await pushManifest(origin, repository, image);
      const reply = await putManifest(origin, repository, 'lie', { ...image, mediaType: MediaTypes.dockerManifest });
      expect(reply.status).toBe(400);
    },
  },
  {
    title: 'a manifest of more than 4 MiB is refused [B20]',
    body: async (origin, repository) => {
      const image = testImage(repository, { annotations: { large: 'x'.repeat(5 * 1024 * 1024) } });
      for (const blob of image.blobs) await pushBlob(origin, repository, blob);
      expect([400, 413]).toContain((await putManifest(origin, repository, 'large', image)).status);
    },
  },
  {
    title: 'an artifact of types that nobody knows is welcome',
    body: async (origin, repository) => {
      const config = testBlob('{}', 'application/vnd.oci.empty.v1+json');
      const layer = testBlob(`anything ${repository}`, 'text/x-anything');
      const artifact = testManifest({ artifactType: 'application/x-test', config: config.descriptor, layers: [layer.descriptor] }, [
        config,
        layer,
      ]);
      await pushManifest(origin, repository, artifact, 'artifact');
    },
  },
  {
    title: 'a subject that is not there is no reason to refuse, and is confirmed',
    body: async (origin, repository) => {
      const subject = testImage(`${repository} not pushed`);
      const reply = await pushManifest(origin, repository, testImage(repository, { subject: subject.descriptor }));
      expect(reply.headers['oci-subject']).toBe(subject.digest);
    },
  },
];

const REFUSED_DIGESTS = ['sha256:../../x', `sha256:${'A'.repeat(64)}`, `sha256:${'0'.repeat(63)}`, 'md5:d41d8cd98f00b204e9800998ecf8427e'];

const NAMES: readonly Statement[] = [
  ...REFUSED_DIGESTS.map(
    (digest): Statement => ({
      title: `no blob gets in or out as ${digest.slice(0, 20)}… of ${digest.length} characters [B18]`,
      body: async (origin, repository) => {
        const location = await startUpload(origin, repository);
        const put = await send(origin, 'PUT', withDigest(location, digest), { body: '', headers: OCTETS });
        expect(put.status).toBe(400);
        expect(errorCodes(put)).toEqual(['DIGEST_INVALID']);
        // Go's mux sends a path with dots in it to the one without them.
        expect([301, 400, 404]).toContain((await send(origin, 'GET', `/v2/${repository}/blobs/${encodeURIComponent(digest)}`)).status);
      },
    }),
  ),
  ...['UPPER', '-dash', 'a..b', `${'x/'.repeat(200)}x`].map(
    (name): Statement => ({
      title: `${name.slice(0, 12)} is no repository`,
      body: async (origin) => {
        const reply = await send(origin, 'POST', `/v2/${name}/blobs/uploads/`, { body: '' });
        expect([400, 404]).toContain(reply.status);
      },
    }),
  ),
];

export const PUSH = [...UPLOADS, ...MANIFESTS, ...NAMES];
