/**
 * What every ControlFiles must do: the host's and the fake in memory run the same list.
 *
 * Knows: the promises of control-files.ts.
 * Does not know: where the files are.
 */
import { describe, expect, test } from 'vitest';
import type { ControlFiles } from '../control-files.ts';

export interface ControlFilesFixture {
  readonly files: ControlFiles;
  /** An empty directory to work in. */
  readonly root: string;
  /** Sets up a file from outside the port. */
  put(path: string, text: string): void;
  putLink(path: string, target: string): void;
}

function code(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

export function controlFilesSuite(name: string, open: () => ControlFilesFixture): void {
  describe(`${name} as control files`, () => {
    test('a file is read whole, or up to a bound', () => {
      const { files, root, put } = open();
      const long = 'x'.repeat(150_000);
      put(`${root}/a`, 'one\ntwo\n');
      put(`${root}/long`, long);
      expect(files.read(`${root}/a`)).toBe('one\ntwo\n');
      expect(files.read(`${root}/a`, 3)).toBe('one');
      expect(files.read(`${root}/long`, 1_000_000)).toBe(long);
    });

    test('writing changes a file that exists, and makes none', () => {
      const { files, root, put } = open();
      put(`${root}/a`, 'max');
      files.write(`${root}/a`, '100');
      expect(files.read(`${root}/a`)).toBe('100');
      expect(code(() => files.write(`${root}/missing`, '1'))).toBe('ENOENT');
      expect(files.kind(`${root}/missing`)).toBeUndefined();
    });

    test('a stamp changes with the file', () => {
      const { files, root, put } = open();
      put(`${root}/a`, 'one');
      const before = files.stamp(`${root}/a`);
      expect(files.stamp(`${root}/a`)).toBe(before);
      files.write(`${root}/a`, 'other');
      expect(files.stamp(`${root}/a`)).not.toBe(before);
      expect(files.stamp(`${root}/missing`)).toBeUndefined();
    });

    test('a directory keeps what it holds under another name', () => {
      const { files, root, put } = open();
      files.mkdir(`${root}/old`);
      put(`${root}/old/a`, 'x');
      files.rename(`${root}/old`, `${root}/new`);
      expect(files.kind(`${root}/old`)).toBeUndefined();
      expect(files.read(`${root}/new/a`)).toBe('x');
      expect(code(() => files.rename(`${root}/old`, `${root}/other`))).toBe('ENOENT');
    });

    test('directories are made one at a time, once', () => {
      const { files, root } = open();
      expect(code(() => files.mkdir(`${root}/a/b`))).toBe('ENOENT');
      files.mkdir(`${root}/a`);
      expect(code(() => files.mkdir(`${root}/a`))).toBe('EEXIST');
      files.mkdir(`${root}/a/b`);
      expect(files.kind(`${root}/a/b`)).toBe('directory');
      expect(code(() => files.rmdir(`${root}/a`))).toBe('ENOTEMPTY');
      files.rmdir(`${root}/a/b`);
      files.rmdir(`${root}/a`);
      expect(code(() => files.rmdir(`${root}/a`))).toBe('ENOENT');
    });

    test('directories are listed without files', () => {
      const { files, root, put, putLink } = open();
      files.mkdir(`${root}/b`);
      files.mkdir(`${root}/b/inner`);
      put(`${root}/a`, '');
      putLink(`${root}/link`, `${root}/b`);
      expect(files.listDirectories(root)).toEqual(['b']);
      expect(code(() => files.listDirectories(`${root}/missing`))).toBe('ENOENT');
    });

    test('listing gives the names directly inside, sorted', () => {
      const { files, root, put } = open();
      files.mkdir(`${root}/b`);
      put(`${root}/a`, '');
      put(`${root}/b/inner`, '');
      expect(files.list(root)).toEqual(['a', 'b']);
      expect(code(() => files.list(`${root}/missing`))).toBe('ENOENT');
    });

    test('kinds are told without following links, and links are not read through', () => {
      const { files, root, put, putLink } = open();
      put(`${root}/a`, 'secret');
      putLink(`${root}/link`, `${root}/a`);
      expect([files.kind(`${root}/a`), files.kind(root), files.kind(`${root}/link`), files.kind(`${root}/none`)]).toEqual([
        'file',
        'directory',
        'other',
        undefined,
      ]);
      expect(files.readLink(`${root}/link`)).toBe(`${root}/a`);
      expect(code(() => files.read(`${root}/link`))).toBe('ELOOP');
      expect(code(() => files.write(`${root}/link`, 'x'))).toBe('ELOOP');
      expect(code(() => files.readLink(`${root}/a`))).toBe('EINVAL');
    });

    test('a file can be told to be writable', () => {
      const { files, root, put } = open();
      put(`${root}/a`, '');
      expect(files.isWritable(`${root}/a`)).toBe(true);
      expect(files.isWritable(`${root}/none`)).toBe(false);
    });
  });
}
