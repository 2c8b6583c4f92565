/**
 * The contract every snapshotter must meet; called from each implementation's own test file.
 *
 * Knows: the interface, and how to perform the mounts it is given.
 * Does not know: how an implementation keeps its files.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import type { Mount } from '../mount.ts';
import type { Snapshotter } from '../snapshotter.ts';

/** Performs the mounts at a place of their own, and takes them away again whatever `use` does. */
export function mounted<T>(mounts: readonly Mount[], use: (path: string) => T): T {
  const place = mkdtempSync(join(tmpdir(), 'mounted-'));
  let count = 0;
  try {
    for (const { type, source, options } of mounts) {
      const kind = type === 'bind' ? ['--bind'] : ['-t', type];
      execFileSync('mount', [...kind, '-o', options.filter((option) => option !== 'rbind').join(','), source, place]);
      count++;
      // A bind mount takes "read-only" in a second step only.
      if (type === 'bind' && options.includes('ro')) execFileSync('mount', ['-o', 'remount,bind,ro', place]);
    }
    return use(place);
  } finally {
    for (; count > 0; count--) execFileSync('umount', [place]);
    rmSync(place, { recursive: true });
  }
}

export function describeSnapshotter(name: string, open: (root: string) => Promise<Snapshotter>): void {
  describe(`${name} is a Snapshotter`, () => {
    let root: string;
    let snapshots: Snapshotter;
    beforeEach(async () => {
      root = mkdtempSync(join(tmpdir(), 'snapshots-'));
      snapshots = await open(root);
    });
    afterEach(async () => {
      await snapshots.close();
      rmSync(root, { recursive: true });
    });

    const write = (mounts: readonly Mount[], files: Readonly<Record<string, string>>) =>
      mounted(mounts, (path) => {
        for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
      });
    const read = (mounts: readonly Mount[]) =>
      mounted(mounts, (path) => Object.fromEntries(readdirSync(path).map((name) => [name, readFileSync(join(path, name), 'utf8')])));
    const layer = async (parent: string, name: string, files: Readonly<Record<string, string>>) => {
      await write(await snapshots.prepare(parent, `preparing ${name}`), files);
      await snapshots.commit(name, `preparing ${name}`);
    };

    hostTest('a snapshot shows what is below it and keeps its own changes to itself', ['root', 'overlayfs'], async () => {
      await layer('', 'one', { a: '1', b: '1' });
      await layer('one', 'two', { b: '2', c: '2' });
      await write(await snapshots.prepare('two', 'mine'), { c: 'mine' });
      const other = await snapshots.prepare('two', 'other');

      expect(read(await snapshots.mounts('mine'))).toEqual({ a: '1', b: '2', c: 'mine' });
      expect(read(other)).toEqual({ a: '1', b: '2', c: '2' });
    });

    hostTest('a deleted file stays deleted above, and stays below', ['root', 'overlayfs'], async () => {
      await layer('', 'one', { a: '1', b: '1' });
      mounted(await snapshots.prepare('one', 'k'), (path) => unlinkSync(join(path, 'a')));
      await snapshots.commit('two', 'k');

      expect(read(await snapshots.prepare('two', 'x'))).toEqual({ b: '1' });
      expect(read(await snapshots.prepare('one', 'y'))).toEqual({ a: '1', b: '1' });
    });

    hostTest('a view shows the same and takes no writing, at any height', ['root', 'overlayfs'], async () => {
      await layer('', 'one', { a: '1' });
      await layer('one', 'two', { b: '2' });

      for (const [parent, files] of [
        ['', {}],
        ['one', { a: '1' }],
        ['two', { a: '1', b: '2' }],
      ] as const) {
        const mounts = await snapshots.view(parent, `view ${parent}`);
        expect(read(mounts)).toEqual(files);
        expect(() => write(mounts, { x: '' })).toThrow(expect.objectContaining({ code: 'EROFS' }));
        await expect(snapshots.commit('never', `view ${parent}`)).rejects.toMatchObject({ kind: 'failed-precondition' });
      }
    });

    hostTest('mode and owner of the root are handed on', ['root', 'overlayfs'], async () => {
      const { own } = await snapshots.prepare('', 'k').then(() => snapshots.directories('k'));
      execFileSync('chmod', ['1750', own]);
      execFileSync('chown', ['7:8', own]);
      await snapshots.commit('one', 'k');

      mounted(await snapshots.prepare('one', 'x'), (path) => expect(statSync(path)).toMatchObject({ mode: 0o41750, uid: 7, gid: 8 }));
    });

    hostTest('after a commit the key is gone and the name can be a parent', ['root'], async () => {
      await layer('', 'one', {});

      await expect(snapshots.mounts('preparing one')).rejects.toMatchObject({ kind: 'not-found' });
      await expect(snapshots.mounts('one')).rejects.toMatchObject({ kind: 'failed-precondition' });
      expect(await snapshots.stat('one')).toMatchObject({ name: 'one', kind: 'committed', parent: '' });
      expect(await snapshots.find('nobody')).toBeUndefined();
      expect(await snapshots.list()).toHaveLength(1);
    });

    hostTest('neither a key nor a missing name can be a parent', ['root'], async () => {
      await snapshots.prepare('', 'k1');

      await expect(snapshots.prepare('k1', 'k2')).rejects.toMatchObject({ kind: 'not-found' });
      await expect(snapshots.view('missing', 'k2')).rejects.toMatchObject({ kind: 'not-found' });
      expect(await snapshots.list()).toHaveLength(1);
    });

    hostTest('keys and names share one namespace', ['root'], async () => {
      await layer('', 'one', {});
      await snapshots.prepare('', 'k');

      await expect(snapshots.prepare('', 'k')).rejects.toMatchObject({ kind: 'already-exists' });
      await expect(snapshots.prepare('', 'one')).rejects.toMatchObject({ kind: 'already-exists' });
      await expect(snapshots.commit('one', 'k')).rejects.toMatchObject({ kind: 'already-exists' });
      expect(await snapshots.stat('k')).toMatchObject({ kind: 'active' });
    });

    hostTest('two at once with the same key: one of them gets it, and no directory is left over', ['root'], async () => {
      const results = await Promise.allSettled([snapshots.prepare('', 'k'), snapshots.prepare('', 'k')]);

      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(directoriesIn(root)).toHaveLength(1);
    });

    hostTest('a parent outlives its children', ['root'], async () => {
      await layer('', 'one', {});
      await snapshots.prepare('one', 'k');

      await expect(snapshots.remove('one')).rejects.toMatchObject({ kind: 'failed-precondition', code: 'E_SNAPSHOT_HAS_CHILDREN' });
      await snapshots.remove('k');
      await snapshots.remove('one');
      await expect(snapshots.remove('one')).rejects.toMatchObject({ kind: 'not-found' });
      expect(directoriesIn(root)).toEqual([]);
    });

    hostTest('a stack shows nothing until it is committed, and then is as if made one by one', ['root', 'overlayfs'], async () => {
      await layer('', 'one', { a: '1', b: '1' });
      await using stack = snapshots.stack();
      const two = await stack.add('one', 'two');
      writeFileSync(join(two.own, 'b'), '2');
      const three = await stack.add('two', 'three');
      writeFileSync(join(three.own, 'c'), '3');

      expect(await snapshots.list()).toHaveLength(1);
      await expect(snapshots.prepare('three', 'early')).rejects.toMatchObject({ kind: 'not-found' });
      await stack.commit(['two', 'three']);
      expect(read(await snapshots.prepare('three', 'k'))).toEqual({ a: '1', b: '2', c: '3' });
      expect(read(await snapshots.prepare('two', 'l'))).toEqual({ a: '1', b: '2' });
      expect(await snapshots.stat('three')).toMatchObject({ kind: 'committed', parent: 'two' });
    });

    hostTest('what of a stack was not committed goes with it, and what was committed stays', ['root'], async () => {
      {
        await using stack = snapshots.stack();
        await stack.add('', 'one');
        await stack.commit(['one']);
        await stack.add('one', 'two');
        await expect(stack.add('two', 'one')).rejects.toMatchObject({ kind: 'already-exists' });
        await expect(stack.add('missing', 'three')).rejects.toMatchObject({ kind: 'not-found' });
      }
      expect((await snapshots.list()).map(({ name }) => name)).toEqual(['one']);
      expect(directoriesIn(root)).toHaveLength(1);
    });

    hostTest('a name that somebody committed meanwhile stays theirs, and the stack goes on above it', ['root', 'overlayfs'], async () => {
      {
        await using stack = snapshots.stack();
        for (const [parent, name] of [
          ['', 'one'],
          ['one', 'two'],
        ] as const) {
          writeFileSync(join((await stack.add(parent, name)).own, name), 'stacked');
        }
        await layer('', 'one', { one: 'theirs' });
        await stack.commit(['one', 'two']);
      }
      expect(read(await snapshots.prepare('one', 'k'))).toEqual({ one: 'theirs' });
      expect((await snapshots.list()).map(({ name }) => name).sort()).toEqual(['k', 'one', 'two']);
      expect(directoriesIn(root)).toHaveLength(3);
    });

    hostTest('a crash in the middle of a stack leaves what was committed, and nothing else', ['root'], async () => {
      const stack = snapshots.stack();
      await stack.add('', 'one');
      await stack.commit(['one']);
      await stack.add('one', 'two');
      await snapshots.close();

      snapshots = await open(root);
      expect((await snapshots.list()).map(({ name }) => name)).toEqual(['one']);
      expect(directoriesIn(root)).toHaveLength(1);
    });

    hostTest('everything is as before after opening again, and a crash’s leftovers are gone', ['root', 'overlayfs'], async () => {
      await layer('', 'one', { a: '1' });
      await snapshots.prepare('one', 'k');
      await snapshots.close();
      mkdirSync(join(root, 'zz/fs'), { recursive: true });
      mkdirSync(join(root, 'yy/fs'), { recursive: true });
      writeFileSync(join(root, 'yy/snapshot.json'), '["active","torn",'); // written in part

      snapshots = await open(root);
      await snapshots.prepare('one', 'k2');

      expect((await snapshots.list()).map(({ name, kind }) => [name, kind])).toEqual([
        ['one', 'committed'],
        ['k', 'active'],
        ['k2', 'active'],
      ]);
      expect(read(await snapshots.mounts('k'))).toEqual({ a: '1' });
      expect(directoriesIn(root)).toHaveLength(3);
    });

    hostTest('a writable snapshot that an older engine wrote down among the committed ones is kept', ['root', 'overlayfs'], async () => {
      await layer('', 'one', { a: '1' });
      const { own } = await snapshots.prepare('one', 'k').then(() => snapshots.directories('k'));
      await snapshots.close();
      const directory = own.slice(root.length + 1).split('/', 1)[0] ?? '';
      unlinkSync(join(root, directory, 'snapshot.json'));
      const db = new DatabaseSync(join(root, 'metadata.db'));
      for (const row of [
        ['k', directory],
        ['gone', 'zz'],
      ])
        db.prepare("INSERT INTO snapshots VALUES (?, 'active', 'one', ?, 7)").run(...row);
      db.close();

      for (const _again of ['moved', 'as moved']) {
        snapshots = await open(root);
        expect((await snapshots.list()).map(({ name }) => name).sort()).toEqual(['k', 'one']);
        expect(read(await snapshots.mounts('k'))).toEqual({ a: '1' });
        await snapshots.close();
      }
      snapshots = await open(root);
    });

    hostTest('no other user can get at the files, nor run a setuid program among them [B10]', ['root'], async () => {
      const { own } = await snapshots.prepare('', 'k').then(() => snapshots.directories('k'));
      writeFileSync(join(own, 'suid'), '#!/bin/true', { mode: 0o4755 });

      const asNobody = () => execFileSync(join(own, 'suid'), { uid: 65534, gid: 65534, cwd: '/' });
      expect(asNobody).toThrow(expect.objectContaining({ code: 'EACCES' }));
      expect(statSync(root).mode & 0o777).toBe(0o700);
    });

    hostTest('usage counts what the snapshot itself holds', ['root'], async () => {
      const { own } = await snapshots.prepare('', 'k').then(() => snapshots.directories('k'));
      const before = await snapshots.usage('k');
      writeFileSync(join(own, 'f'), Buffer.alloc(1_000_000, 1));
      const after = await snapshots.usage('k');

      expect(after.sizeBytes - before.sizeBytes).toBeGreaterThanOrEqual(1_000_000);
      expect(after.inodes - before.inodes).toBe(1);
    });
  });
}

function directoriesIn(root: string): string[] {
  return readdirSync(root).filter((name) => statSync(join(root, name)).isDirectory());
}
