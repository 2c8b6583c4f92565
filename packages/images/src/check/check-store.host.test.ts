/** A real store, damaged in one way after the other: each is found by its name, and an undamaged one has nothing to be found. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { chainIds, digestOf, parseDiffId, splitDigest } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest';
import { checkStore, type ImageStore, openImageStore } from '../index.ts';
import { configOf, layerOf, ociArchive, streamOf } from '../testing/archives.ts';

const NEEDS = ['root', 'linux', 'overlayfs'] as const;
const LAYERS = [layerOf({ a: 'one' }), layerOf({ b: 'two' })];
const CONFIG = digestOf(configOf(LAYERS));
const CHAINS = chainIds(LAYERS.map((bytes) => parseDiffId(digestOf(bytes))));

/** A sound store, of which each test gets a copy. */
let sound: string;
let root: string;
beforeAll(async () => {
  root = sound = mkdtempSync(join(tmpdir(), 'check-sound-'));
  await withStore(async (store) => {
    await store.loadArchive(streamOf(ociArchive(LAYERS, 'docker.io/library/two:1')));
    await store.prepareRootfs('two:1', 'container');
  });
});
afterAll(() => rmSync(sound, { recursive: true, force: true }));
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'check-'));
  execFileSync('cp', ['-a', `${sound}/.`, root]);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function withStore(use: (store: ImageStore) => Promise<unknown>): Promise<void> {
  const store = await openImageStore({ root, platform: { os: 'linux', architecture: 'amd64' } });
  try {
    await use(store);
  } finally {
    await store.close();
  }
}

const blob = (bytes: Uint8Array) => join(root, 'content/blobs/sha256', splitDigest(digestOf(bytes)).hex);
const sql = (file: string, statement: string) => {
  const db = new DatabaseSync(join(root, file), { enableForeignKeyConstraints: false });
  db.exec(statement);
  db.close();
};
const found = async () => {
  const { faults, leftovers } = await checkStore(root);
  return { faults: faults.map(({ code }) => code).sort(), leftovers: leftovers.map(({ code }) => code).sort() };
};
const snapshotDirectory = (chain: string | undefined) => {
  const db = new DatabaseSync(join(root, 'snapshots/metadata.db'), { readOnly: true });
  const row = db.prepare('SELECT directory FROM snapshots WHERE name = ?').get(chain ?? '');
  db.close();
  return join(root, 'snapshots', String(row?.['directory']));
};

describe('a store that is checked', () => {
  hostTest('is sound as it was left, and not a byte of it is changed', [...NEEDS], async () => {
    const before = listing();
    const report = await checkStore(root);
    expect(report).toMatchObject({ faults: [], leftovers: [], counted: { images: 1, names: 1, blobs: 4, ingests: 0, buildSteps: 0 } });
    expect(report.counted.snapshots).toEqual({ committed: 2, active: 1, view: 0 });
    expect(listing()).toBe(before);
  });

  hostTest('may be in use', [...NEEDS], async () => {
    await withStore(async (store) => {
      const work = (async () => {
        for (let round = 0; round < 8; round++) {
          await store.loadArchive(streamOf(ociArchive([layerOf({ [`f${round}`]: 'x' })], `docker.io/library/busy:${round}`)));
          await store.remove(`busy:${round}`);
        }
      })();
      const reports = await Promise.all([checkStore(root), checkStore(root)]);
      await work;
      expect(reports.flatMap(({ faults }) => faults)).toEqual([]);
    });
  });

  hostTest('is not made where there is none', [...NEEDS], async () => {
    await expect(checkStore(join(root, 'nowhere'))).rejects.toMatchObject({ kind: 'not-found', code: 'E_STORE_UNKNOWN' });
    expect(readdirSync(root)).not.toContain('nowhere');
  });
});

/** What is done to the store, and the faults that it must have then. */
const DAMAGE: Readonly<Record<string, { readonly harm: () => void; readonly faults: readonly string[] }>> = {
  'a byte of a layer changed': {
    harm: () => {
      const path = blob(LAYERS[0] as Buffer);
      chmodSync(path, 0o600);
      writeFileSync(path, Buffer.from(LAYERS[0] as Buffer).fill(7, 600, 601));
    },
    faults: ['blob-corrupt'],
  },
  'a layer cut short': { harm: () => truncateSync(blob(LAYERS[1] as Buffer), 512), faults: ['blob-corrupt', 'blob-size'] },
  'a layer gone': { harm: () => rmSync(blob(LAYERS[1] as Buffer)), faults: ['blob-missing'] },
  'the config gone': { harm: () => rmSync(blob(configOf(LAYERS))), faults: ['document-invalid'] },
  'a layer that is not unpacked': {
    harm: () => sql('snapshots/metadata.db', `UPDATE snapshots SET name = 'other' WHERE name = '${CHAINS[1]}'`),
    faults: ['snapshot-missing', 'snapshot-parent'],
  },
  'a layer on the wrong one': {
    harm: () => sql('snapshots/metadata.db', `UPDATE snapshots SET parent = NULL WHERE name = '${CHAINS[1]}'`),
    faults: ['snapshot-parent'],
  },
  'a snapshot on itself': {
    harm: () => sql('snapshots/metadata.db', `UPDATE snapshots SET parent = '${CHAINS[1]}' WHERE name = '${CHAINS[0]}'`),
    faults: ['snapshot-parent', 'snapshot-parent', 'snapshot-parent'], // and the container above them
  },
  'a snapshot without its files': {
    harm: () => rmSync(join(snapshotDirectory(CHAINS[0]), 'fs'), { recursive: true }),
    faults: ['snapshot-directory'],
  },
  'a layer of unknown size': { harm: () => sql('images.db', `DELETE FROM layers WHERE chain_id = '${CHAINS[0]}'`), faults: ['layer-size'] },
  'a name of no image': {
    harm: () => sql('images.db', `INSERT INTO names VALUES ('docker.io/library/ghost:1', 'sha256:${'0'.repeat(64)}')`),
    faults: ['record-damaged'],
  },
};

describe('damage is told by name', () => {
  for (const [title, { harm, faults }] of Object.entries(DAMAGE)) {
    hostTest(title, [...NEEDS], async () => {
      harm();
      expect((await found()).faults).toEqual(faults);
    });
  }

  hostTest('what is left over is no fault, and the next start and collection take it', [...NEEDS], async () => {
    await withStore(async (store) => {
      await store.content.put(Buffer.from('nobody needs this'));
      await store.snapshots.prepare('', 'unpacking/x');
      await store.snapshots.prepare('', 'k');
      await store.snapshots.commit('nobody', 'k');
    });
    writeFileSync(join(root, 'content/ingests/tmp-1'), 'x');
    mkdirSync(join(root, 'snapshots/zz/fs'), { recursive: true });
    sql('images.db', "INSERT INTO layers VALUES ('sha256:gone', 1)");
    expect(await found()).toEqual({
      faults: [],
      leftovers: ['blob-unneeded', 'directory-unknown', 'ingest', 'size-unneeded', 'snapshot-unneeded', 'snapshot-unpacking'],
    });

    await withStore((store) => store.collectGarbage());
    expect(await found()).toEqual({ faults: [], leftovers: [] });
  });

  hostTest('the command says the same, in words and in JSON, and 2 for faults', [...NEEDS], async () => {
    const slipway = new URL('../../../../bin/slipway', import.meta.url).pathname;
    const run = (...args: string[]) =>
      execFileSync(slipway, ['store', 'check', '--root', root, ...args], { encoding: 'utf8', stdio: 'pipe' });
    expect(run()).toContain('the store is sound');
    renameSync(blob(configOf(LAYERS)), join(root, 'content/blobs/sha256/stray'));
    expect(() => run()).toThrow(expect.objectContaining({ status: 2, stdout: expect.stringContaining('fault     document-invalid') }));
    const { status, stdout } = trying(() => run('--json', '--skip-contents'));
    expect([status, JSON.parse(stdout)]).toMatchObject([
      2,
      { root, faults: [{ code: 'document-invalid', subject: CONFIG }], leftovers: [{ code: 'file-unknown' }] },
    ]);
    expect(() => execFileSync(slipway, ['store', 'check', '--root', '/nowhere'], { stdio: 'pipe' })).toThrow(
      expect.objectContaining({ status: 1 }),
    );
  });
});

function trying(run: () => string): { readonly status: number; readonly stdout: string } {
  try {
    return { status: 0, stdout: run() };
  } catch (error) {
    return error as { status: number; stdout: string };
  }
}

/** Every file with its size and time, but for what SQLite keeps beside a file that is open. */
function listing(): string {
  return execFileSync('find', [root, '-type', 'f', '!', '-name', '*-shm', '!', '-name', '*-wal', '-printf', '%P %s %T@\n'], {
    encoding: 'utf8',
  });
}
