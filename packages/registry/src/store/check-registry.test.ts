/** A registry's store, damaged in one way after the other: each is found by its name, and an undamaged one has nothing to be found. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { digestOf, splitDigest } from '@slipway/oci';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkRegistry, isRegistryRoot } from './check-registry.ts';
import { openRegistryStore } from './open-registry-store.ts';

const LAYER = Buffer.from('a layer');
const CONFIG = Buffer.from('{}');
const MANIFEST = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(CONFIG), size: CONFIG.byteLength },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf(LAYER), size: LAYER.byteLength }],
  }),
);

let root: string;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'check-registry-'));
  const store = await openRegistryStore({ root });
  for (const bytes of [LAYER, CONFIG]) {
    const upload = store.beginUpload('a/b');
    await upload.append(
      (async function* () {
        yield bytes;
      })(),
    );
    await upload.commit(digestOf(bytes));
  }
  await store.putManifest('a/b', { tag: '1' }, { bytes: MANIFEST });
  await store.mountBlob('c', digestOf(LAYER));
  await store.close();
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const pathOf = (bytes: Uint8Array) => join(root, 'content/blobs/sha256', splitDigest(digestOf(bytes)).hex);
const sql = (statement: string) => {
  const db = new DatabaseSync(join(root, 'registry.db'), { enableForeignKeyConstraints: false });
  db.exec(statement);
  db.close();
};
const rewrite = (path: string, bytes: Uint8Array) => {
  rmSync(path);
  writeFileSync(path, bytes);
};

test('a store that is as it should be has neither faults nor leftovers, and is told from other directories', async () => {
  const blobBytes = LAYER.byteLength + CONFIG.byteLength + MANIFEST.byteLength;
  const counted = { repositories: 2, manifests: 1, tags: 1, blobs: 3, blobBytes, ingests: 0 };
  expect(await checkRegistry(root)).toEqual({ counted, faults: [], leftovers: [] });
  expect([await isRegistryRoot(root), await isRegistryRoot(tmpdir())]).toEqual([true, false]);
});

test('a manifest whose layer a client has deleted is no fault', async () => {
  const store = await openRegistryStore({ root });
  await store.deleteBlob('a/b', digestOf(LAYER));
  await store.close();
  expect(await checkRegistry(root)).toMatchObject({ faults: [], leftovers: [] });
});

test.each([
  ['blob-missing', () => rmSync(pathOf(LAYER)), digestOf(LAYER)],
  ['blob-missing', () => rmSync(pathOf(MANIFEST)), digestOf(MANIFEST)],
  ['blob-corrupt', () => rewrite(pathOf(LAYER), Buffer.from('A LAYER')), digestOf(LAYER)],
  ['blob-size', () => sql('UPDATE manifests SET size_bytes = 1'), digestOf(MANIFEST)],
  ['document-invalid', () => sql("UPDATE manifests SET media_type = 'text/plain'"), digestOf(MANIFEST)],
  ['record-damaged', () => sql("INSERT INTO tags VALUES ('a/b', 'nothing', 'sha256:none')"), 'registry.db'],
] as const)('%s is found', async (code, damage, subject) => {
  damage();
  const { faults } = await checkRegistry(root);
  expect(new Set(faults.map((fault) => `${fault.code} ${fault.subject}`))).toEqual(new Set([`${code} ${subject}`]));
});

test('contents are believed when that is asked for', async () => {
  rewrite(pathOf(LAYER), Buffer.from('A LAYER'));
  expect((await checkRegistry(root, { skipContents: true })).faults).toEqual([]);
});

test('a record that is none is not taken for a sound one', async () => {
  truncateSync(join(root, 'registry.db'), 100);
  await expect(checkRegistry(root)).rejects.toThrow();
});

test.each([
  ['blob-unneeded', () => sql(`DELETE FROM blobs WHERE digest = '${digestOf(CONFIG)}'`)],
  ['ingest', () => writeFileSync(join(root, 'content/ingests/left'), 'x')],
  ['file-unknown', () => writeFileSync(join(root, 'content/blobs/sha256/stranger'), 'x')],
] as const)('%s is left over, and no fault', async (code, leave) => {
  leave();
  const { faults, leftovers } = await checkRegistry(root);
  expect([faults, leftovers.map((left) => left.code)]).toEqual([[], [code]]);
});
