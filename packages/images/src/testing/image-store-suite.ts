/**
 * What an image store does whichever snapshotter it stands on; called once for each.
 *
 * Knows: the interface, and archives made for the purpose.
 * Does not know: registries, or how snapshots keep their files.
 */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { chainId, digestOf, MediaTypes, parseDiffId } from '@slipway/oci';
import { mounted } from '@slipway/snapshots/testing';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { type ImageStore, openImageStore } from '../index.ts';
import { blobPath, configOf, descriptorOf, dockerArchive, json, layerOf, ociArchive, ociLayout, streamOf, tarOf } from './archives.ts';

export function describeImageStore(driver: 'overlay' | 'native'): void {
  describe(`an image store on ${driver}`, () => {
    let root: string;
    let store: ImageStore;
    beforeEach(async () => {
      root = fs.mkdtempSync(join(tmpdir(), 'images-'));
      store = await openImageStore({ root, snapshotter: driver, platform: { os: 'linux', architecture: 'amd64' } });
    });
    afterEach(async () => {
      // A failed test may have closed it already; its directory goes all the same.
      await store.close().finally(() => fs.rmSync(root, { recursive: true }));
    });

    const [BASE, APP, OTHER] = [layerOf({ base: 'b' }), layerOf({ app: 'a' }), layerOf({ other: 'o' })] as const;
    const load = (archive: Uint8Array, options = {}) => store.loadArchive(streamOf(archive), options);
    const busy = async () => ({
      blobs: (await store.content.list()).length,
      snapshots: (await store.snapshots.list()).length,
      images: (await store.list()).length,
    });
    const NOTHING = { blobs: 0, snapshots: 0, images: 0 };
    const names = async () => (await store.list()).map((image) => image.names);

    describe('loading', () => {
      hostTest('an OCI layout: blobs, one snapshot a layer, a name, and what a layer came from', ['root'], async () => {
        const report = await load(ociArchive([BASE, APP], 'app:1'));

        const image = await store.get('app:1');
        expect(report).toEqual({ images: [{ id: image.id, names: ['docker.io/library/app:1'], isNew: true }], moved: [], warnings: [] });
        expect(image.layers.map(({ createdBy, sizeBytes }) => [createdBy, sizeBytes])).toEqual([
          ['step 1', 1],
          ['step 2', 1],
        ]);
        expect(image.layers[1]?.chainId).toBe(chainId([BASE, APP].map((bytes) => parseDiffId(digestOf(bytes)))));
        expect(await busy()).toEqual({ blobs: 4, snapshots: 2, images: 1 });
      });

      hostTest('a docker-archive, its layers also as links within the archive', ['root'], async () => {
        const linked = tarOf([
          [{ name: 'abc.tar', type: 'file' }, BASE],
          [{ name: 'old/layer.tar', type: 'symlink', linkName: '../abc.tar' }],
          [{ name: 'c.json', type: 'file' }, configOf([BASE])],
          [{ name: 'manifest.json', type: 'file' }, json([{ Config: 'c.json', RepoTags: ['linked:1'], Layers: ['old/layer.tar'] }])],
        ]);

        await load(
          dockerArchive(
            [BASE, gzipSync(APP)].map((bytes, i) => (i === 0 ? bytes : APP)),
            ['quay.io/a/b:x', 'c:latest'],
          ),
        );
        await load(linked);

        expect(await names()).toEqual([['docker.io/library/linked:1'], ['docker.io/library/c:latest', 'quay.io/a/b:x']]);
      });

      hostTest('a compressed archive, and one that names nothing', ['root'], async () => {
        await load(gzipSync(ociArchive([BASE])), { name: 'given' });
        await load(ociArchive([APP]));

        expect(await names()).toEqual([[], ['docker.io/library/given:latest']]);
      });

      hostTest('the same archive twice changes nothing', ['root'], async () => {
        await load(ociArchive([BASE, APP], 'app'));
        const before = await busy();
        const states: string[] = [];

        const report = await load(ociArchive([BASE, APP], 'app'), {
          onProgress: (p: { state?: string }) => p.state && states.push(p.state),
        });

        expect(report.images[0]?.isNew).toBe(false);
        expect(states).toEqual(['exists', 'exists']);
        expect(await busy()).toEqual(before);
      });

      hostTest('twenty at once that share a layer unpack it once [B26]', ['root'], async () => {
        const started: string[] = [];
        const onProgress = (p: { state?: string; diffId?: string }) => p.state === 'started' && started.push(String(p.diffId));
        await Promise.all(Array.from({ length: 20 }, (_, i) => load(ociArchive([BASE], `copy:${i}`), { onProgress })));

        expect(started).toHaveLength(1);
        expect((await store.get('copy:7')).names).toHaveLength(20);
      });

      hostTest('a name moves to the newer image, the report says so, and the older image stays without it [B34]', ['root'], async () => {
        await load(ociArchive([BASE], 'app'));
        const old = await store.get('app');

        const report = await load(ociArchive([OTHER], 'app'));

        const current = await store.get('app');
        expect(report.moved).toEqual([{ name: 'docker.io/library/app:latest', from: old.id, to: current.id }]);
        expect((await store.get(old.id)).names).toEqual([]);
      });

      hostTest('or it is refused, and then nothing has changed [B34]', ['root'], async () => {
        await load(ociArchive([BASE], 'app'));
        const before = await busy();

        await expect(load(ociArchive([OTHER], 'app'), { onNameTaken: 'refuse' })).rejects.toMatchObject({
          kind: 'already-exists',
          code: 'E_NAME_TAKEN',
        });
        expect(await busy()).toEqual(before);
        await expect(load(ociArchive([BASE], 'app'), { onNameTaken: 'refuse' })).resolves.toBeDefined();
      });

      hostTest('an index gives the image of this platform', ['root'], async () => {
        const both = ['arm64', 'amd64'].map((architecture) => {
          const config = configOf([BASE], { architecture });
          const manifest = json({
            schemaVersion: 2,
            config: descriptorOf(MediaTypes.ociConfig, config),
            layers: [descriptorOf(MediaTypes.ociLayer, BASE)],
          });
          return { config, manifest, platform: { os: 'linux', architecture } };
        });
        const nested = json({
          schemaVersion: 2,
          manifests: both.map(({ manifest, platform }) => ({ ...descriptorOf(MediaTypes.ociManifest, manifest), platform })),
        });
        const index = json({
          schemaVersion: 2,
          manifests: [{ ...descriptorOf(MediaTypes.ociIndex, nested), annotations: { 'org.opencontainers.image.ref.name': 'multi:1' } }],
        });

        await load(ociLayout(index, [nested, BASE, ...both.flatMap(({ config, manifest }) => [config, manifest])]));

        expect((await store.get('multi:1')).config.architecture).toBe('amd64');
      });
    });

    describe('what is wrong with an archive is said, and leaves no trace', () => {
      const config = configOf([BASE]);
      const manifestOf = (more: object) =>
        json({
          schemaVersion: 2,
          config: descriptorOf(MediaTypes.ociConfig, config),
          layers: [descriptorOf(MediaTypes.ociLayer, BASE)],
          ...more,
        });
      const layout = (manifest: Uint8Array, blobs: readonly Uint8Array[]) =>
        ociLayout(json({ schemaVersion: 2, manifests: [descriptorOf(MediaTypes.ociManifest, manifest)] }), [manifest, ...blobs]);
      const dockerWith = (entry: object) =>
        tarOf([
          [{ name: 'c.json', type: 'file' }, config],
          [{ name: 'manifest.json', type: 'file' }, json([{ Config: 'c.json', Layers: [], ...entry }])],
        ]);

      const elsewhere = { ...descriptorOf(MediaTypes.ociManifest, manifestOf({})), platform: { os: 'linux', architecture: 's390x' } };
      const foreign = ociLayout(json({ schemaVersion: 2, manifests: [elsewhere] }), [manifestOf({}), config, BASE]);

      const cases: readonly (readonly [string, Uint8Array, string])[] = [
        ['no archive', Buffer.from('hello'.repeat(1000)), 'E_TAR_MALFORMED'],
        ['an empty upload', new Uint8Array(), 'E_TAR_MALFORMED'],
        ['some other tar', tarOf([[{ name: 'x', type: 'file' }, 'x']]), 'E_ARCHIVE_INVALID'],
        ['a cut archive', ociArchive([BASE]).subarray(0, 3300), 'E_TAR_MALFORMED'],
        [
          'a blob that is not what its name says',
          ociLayout(json({}), [], [[{ name: blobPath(APP), type: 'file' }, BASE]]),
          'E_BLOB_DIGEST',
        ],
        ['a layer that is missing', layout(manifestOf({}), [config]), 'E_IMAGE_INCOMPLETE'],
        [
          'a layer whose size is a lie',
          layout(manifestOf({ layers: [{ ...descriptorOf(MediaTypes.ociLayer, BASE), size: 1 }] }), [config, BASE]),
          'E_IMAGE_INCOMPLETE',
        ],
        ['fewer layers than diff ids', layout(manifestOf({ layers: [] }), [config, BASE]), 'E_IMAGE_INCOMPLETE'],
        ['a wrong diff id', ociArchive([BASE], 'x', configOf([APP])), 'E_LAYER_DIFF_ID'],
        ['a layer that escapes', ociArchive([layerOf({ ok: '1' }), layerOf({ '../../x': '1' })]), 'E_LAYER_PATH'],
        ['both manifests and layers', layout(manifestOf({ manifests: [] }), [config, BASE]), 'E_DOCUMENT_INVALID'],
        ['a name no reference can have', ociArchive([BASE], 'some/UPPER'), 'E_REFERENCE_INVALID'],
        ['another platform only', foreign, 'E_IMAGE_PLATFORM'],
        ['layers outside the archive', dockerWith({ Layers: ['../../etc/passwd'] }), 'E_ARCHIVE_INVALID'],
        ['a config outside the archive', dockerWith({ Config: '/etc/passwd' }), 'E_ARCHIVE_INVALID'],
        [
          'a blob that is a link to the host',
          ociLayout(
            json({ schemaVersion: 2, manifests: [descriptorOf(MediaTypes.ociManifest, config)] }),
            [],
            [[{ name: blobPath(config), type: 'symlink', linkName: '/etc/shadow' }]],
          ),
          'E_IMAGE_INCOMPLETE',
        ],
        ['an index.json of 5 MB', ociLayout(Buffer.alloc(5_000_000, ' '), []), 'E_BLOB_TOO_LARGE'],
        ['a file that would lie beside the archive', tarOf([[{ name: '../x', type: 'file' }, 'x']]), 'E_ARCHIVE_INVALID'],
      ];
      for (const [title, archive, code] of cases) {
        hostTest(`${title} [B16 B19 B33 B35]`, ['root'], async () => {
          await expect(load(archive)).rejects.toMatchObject({ kind: 'invalid-argument', code });
          expect(await busy()).toEqual(NOTHING);
          expect(fs.readdirSync(join(root, 'content/ingests'))).toEqual([]);
        });
      }

      hostTest('an upload that breaks off', ['root'], async () => {
        async function* breaking() {
          yield ociArchive([BASE]).subarray(0, 4096);
          throw new Error('connection reset');
        }
        await expect(store.loadArchive(breaking())).rejects.toThrow('connection reset');
        expect(await busy()).toEqual(NOTHING);
      });

      hostTest('a failed load leaves the images before it alone', ['root'], async () => {
        await load(ociArchive([BASE, APP], 'good'));
        const before = await busy();

        await expect(load(ociArchive([BASE, layerOf({ '../x': '' })], 'good'))).rejects.toThrow();
        expect(await busy()).toEqual(before);
        expect(await names()).toEqual([['docker.io/library/good:latest']]);
      });
    });

    describe('finding, tagging, removing', () => {
      hostTest('by name, id, and as much of the id as is unique', ['root'], async () => {
        await load(ociArchive([BASE], 'a'));
        const { id, manifest } = await store.get('a');

        for (const text of [
          'a',
          'a:latest',
          'docker.io/library/a',
          id,
          id.slice(7),
          id.slice(7, 19),
          id.slice(0, 19),
          `a@${manifest.digest}`,
        ]) {
          expect((await store.get(text)).id, text).toBe(id);
        }
        for (const text of ['b', 'a:2', `b@${manifest.digest}`, 'sha256:', '../x', '', 'A', `${id}0`]) {
          await expect(store.get(text), text).rejects.toMatchObject({ kind: 'not-found', code: 'E_IMAGE_NOT_FOUND' });
        }
      });

      hostTest('a beginning that fits several ids says so', ['root'], async () => {
        for (let i = 0; i < 17; i++) await load(ociArchive([BASE], `n:${i}`, configOf([BASE], { author: String(i) })));
        const first = (await store.list()).map(({ id }) => id[7]);
        const twice = first.find((digit, i) => first.indexOf(digit) !== i);

        await expect(store.get(String(twice))).rejects.toMatchObject({ code: 'E_IMAGE_AMBIGUOUS' });
      });

      hostTest('the last name takes the image with it; shared layers stay', ['root'], async () => {
        await load(ociArchive([BASE, APP], 'app'));
        await load(ociArchive([BASE], 'base'));
        await store.tag('app', 'second:2');
        const { id } = await store.get('app');

        await expect(store.remove(id)).rejects.toMatchObject({ code: 'E_IMAGE_NAMED' });
        expect(await store.remove('app')).toEqual({ untagged: ['docker.io/library/app:latest'] });
        expect(await store.remove('second:2')).toEqual({ untagged: ['docker.io/library/second:2'], deleted: id });
        expect(await busy()).toEqual({ blobs: 3, snapshots: 1, images: 1 });
        expect(await store.remove('base')).toMatchObject({ untagged: ['docker.io/library/base:latest'] });
        expect(await busy()).toEqual(NOTHING);
      });

      hostTest('layers under a container stay until it is gone [B29]', ['root'], async () => {
        await load(ociArchive([BASE, APP], 'app'));
        await store.prepareRootfs('app', 'c1');

        await store.remove('app');
        expect((await store.rootfs('c1')).directories.lowers).toHaveLength(driver === 'overlay' ? 2 : 0);
        expect(mounted((await store.rootfs('c1')).mounts, (path) => fs.readdirSync(path).sort())).toEqual(['app', 'base']);
        await store.removeRootfs('c1');
        await store.removeRootfs('c1');
        await store.collectGarbage();
        expect(await busy()).toEqual(NOTHING);
      });
    });

    describe('a root file system', () => {
      hostTest('holds every layer, with deleted files gone', ['root', 'overlayfs'], async () => {
        const second = tarOf([[{ name: '.wh.base', type: 'file' }], [{ name: 'app', type: 'file', mode: 0o4755 }, 'a']]);
        await load(ociArchive([layerOf({ base: 'b', kept: 'k' }), second], 'app'));
        const { mounts, directories, image } = await store.prepareRootfs('app', 'c1');

        expect(mounted(mounts, (path) => fs.readdirSync(path).sort())).toEqual(['app', 'kept']);
        expect(image.config.config.cmd).toEqual(['sh']);
        expect(fs.existsSync(directories.own)).toBe(true);
        await expect(store.prepareRootfs('app', 'c1')).rejects.toMatchObject({ code: 'E_SNAPSHOT_EXISTS' });
      });

      hostTest('of an image without layers is empty', ['root'], async () => {
        await load(ociArchive([], 'scratch'));

        expect((await store.prepareRootfs('scratch', 'c1')).mounts).toMatchObject([{ type: 'bind' }]);
      });
    });

    describe('several at once', () => {
      hostTest('a load whose archive stands still keeps nobody else waiting, and ends as it should', ['root'], async () => {
        await load(ociArchive([BASE], 'base:1'));
        const archive = ociArchive([BASE, APP], 'app:1');
        const goesOn = Promise.withResolvers<void>();
        const stalling = async function* () {
          yield archive.subarray(0, 1024);
          await goesOn.promise;
          yield archive.subarray(1024);
        };
        const loading = store.loadArchive(stalling());

        await store.tag('base:1', 'base:2');
        await store.remove('base:1');
        await load(ociArchive([OTHER], 'other:1'));
        await store.remove('other:1');
        goesOn.resolve();
        await loading;

        expect((await names()).flat().toSorted()).toEqual(['docker.io/library/app:1', 'docker.io/library/base:2']);
        await store.remove('base:2');
        await store.remove('app:1');
        expect(await busy()).toEqual(NOTHING);
      });

      hostTest('what is made while a collection is under way is not taken for garbage', ['root'], async () => {
        // Enough garbage that the collection is still at it.
        for (let number = 0; number < 300; number++) {
          const hex = digestOf(String(number)).slice('sha256:'.length);
          fs.writeFileSync(join(root, 'content/blobs/sha256', hex), '');
        }
        const collecting = store.collectGarbage();
        await new Promise(setImmediate); // it has begun
        await store.holding(async () => {
          await store.snapshots.prepare('', 'making');
          await store.snapshots.commit('made', 'making');
          await collecting;
          expect(await store.snapshots.find('made')).toBeDefined();
        });
      });
    });
  });
}
