/**
 * Trees for tests: one with everything a file system can hold, changes to it, and a summary by which two trees are the same.
 *
 * Knows: how to make and describe them with the host's own tools.
 * Does not know: layers.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';

/** Fills `root`. `nodes`: with device nodes, foreign owners and privileged attributes, which need to be root of the host. */
export function makeTree(root: string, { nodes }: { readonly nodes: boolean }): void {
  const at = (...parts: string[]) => join(root, ...parts);
  const deep = join('d', 'long'.repeat(40), 'er'.repeat(60), 'and'.repeat(30));
  fs.mkdirSync(at(deep), { recursive: true });
  fs.writeFileSync(at(deep, 'f'), 'deep');
  fs.writeFileSync(at('plain'), 'plain\n', { mode: 0o640 });
  fs.writeFileSync(at('empty'), '');
  fs.writeFileSync(at('ümlaut und leer'), 'ü');
  fs.writeFileSync(at('new\nline'), 'n');
  fs.writeFileSync(at('big'), createHash('sha512').update('seed').digest('hex').repeat(9000));
  fs.mkdirSync(at('sticky'));
  fs.chmodSync(at('sticky'), 0o1777);
  fs.mkdirSync(at('empty-dir'), { mode: 0o700 });
  fs.symlinkSync('plain', at('link'));
  fs.symlinkSync(`/${'t'.repeat(180)}`, at('long-link'));
  fs.symlinkSync('nowhere', at('dangling'));
  fs.linkSync(at('plain'), at('d', 'second-name'));
  fs.linkSync(at('plain'), at('zz-third'));
  makeSparse(at('sparse'), 40, 3_000_000);
  makeSparse(at('all-hole'), 0, 5_000_000);
  execFileSync('mkfifo', [at('fifo')]);
  setfattr(at('plain'), 'user.text', 'v');
  setfattr(at('d'), 'user.binary', '0x00ff0a3d');
  setfattr(at('big'), 'user.empty', '""');
  if (nodes) makePrivileged(root);
  stamp('2021-05-06T07:08:09.25Z', ['-R', root]);
  stamp('2001-02-03T04:05:06.123456789Z', [at('plain'), at('link'), at('empty-dir')]);
  stamp('1969-12-31T23:59:58Z', [at('empty')]);
}

function makePrivileged(root: string): void {
  const at = (...parts: string[]) => join(root, ...parts);
  execFileSync('mknod', [at('null'), 'c', '1', '3']);
  execFileSync('mknod', [at('block'), 'b', '259', '70000']);
  fs.writeFileSync(at('suid'), '#!/bin/sh\n');
  fs.chownSync(at('suid'), 3_000_000, 3_000_001);
  fs.chmodSync(at('suid'), 0o6755);
  fs.chownSync(at('sticky'), 4_294_967_294 - 1, 70_000);
  fs.lchownSync(at('dangling'), 12, 13);
  fs.writeFileSync(at('capable'), 'x');
  execFileSync('setcap', ['cap_net_raw,cap_net_admin+ep', at('capable')]);
}

/** What a container might do to such a tree. */
export function changeTree(root: string, { nodes }: { readonly nodes: boolean }): void {
  const at = (...parts: string[]) => join(root, ...parts);
  fs.rmSync(at('empty'));
  fs.rmSync(at('d', 'long'.repeat(40)), { recursive: true });
  fs.rmSync(at('sticky'), { recursive: true });
  fs.mkdirSync(at('sticky'));
  fs.writeFileSync(at('sticky', 'fresh'), 'in an opaque directory');
  fs.rmSync(at('empty-dir'), { recursive: true });
  fs.writeFileSync(at('empty-dir'), 'a directory became a file');
  fs.rmSync(at('ümlaut und leer'));
  fs.mkdirSync(at('ümlaut und leer', 'inner'), { recursive: true });
  fs.appendFileSync(at('plain'), 'and more'); // through all three of its names
  fs.linkSync(at('big'), at('big-too'));
  fs.chmodSync(at('new\nline'), 0o600);
  fs.renameSync(at('link'), at('renamed'));
  fs.mkdirSync(at('new', 'nested'), { recursive: true });
  fs.writeFileSync(at('new', 'nested', 'file'), 'new');
  makeSparse(at('new', 'sparse'), 5, 1_000_000);
  setfattr(at('new'), 'user.added', 'yes');
  if (nodes) {
    execFileSync('mknod', [at('new', 'zero'), 'c', '1', '5']);
    fs.writeFileSync(at('new', 'capable'), 'c');
    execFileSync('setcap', ['cap_sys_admin+ep', at('new', 'capable')]);
    fs.rmSync(at('null'));
  }
  const touched = ['new', 'sticky', 'ümlaut und leer', 'empty-dir', 'plain', 'd'].map((name) => at(name));
  stamp('2022-05-06T07:08:09.75Z', ['-R', ...touched]);
  stamp('2011-01-01T00:00:00.000001Z', [at('new', 'nested', 'file')]);
}

/** Times of our own, since two copies differ in a last digit where Node sets what the clock said. `-R`: with everything below. */
function stamp(time: string, paths: readonly string[]): void {
  const [first, ...rest] = paths;
  const all =
    first === '-R'
      ? execFileSync('find', [...rest, '-depth', '-print0'], { encoding: 'utf8' })
          .split('\0')
          .filter(Boolean)
      : paths;
  execFileSync('touch', ['-h', '-d', time, ...all]);
}

function makeSparse(path: string, pieces: number, size: number): void {
  const fd = fs.openSync(path, 'w');
  for (let i = 0; i < pieces; i++) fs.writeSync(fd, `piece ${i}`, Math.floor((i * size) / pieces));
  fs.ftruncateSync(fd, size);
  fs.closeSync(fd);
}

function setfattr(path: string, name: string, value: string): void {
  execFileSync('setfattr', ['-h', '-n', name, '-v', value, path]);
}

export interface SummaryOptions {
  /** Decimal digits of a second that times are compared to. Default: 6, what Node can set. */
  readonly timeDigits?: number;
}

/** One line an entry, with everything two faithful copies agree about; the root itself left out. */
export function summarize(root: string, { timeDigits = 6 }: SummaryOptions = {}): string[] {
  const paths = execFileSync('find', [root, '-mindepth', '1', '-print0'], { encoding: 'utf8' }).split('\0').filter(Boolean).sort();
  const attributes = readAttributes(root);
  const firstNames = new Map<string, string>();
  return paths.map((path) => {
    const info = fs.lstatSync(path, { bigint: true });
    const name = JSON.stringify(path.slice(root.length + 1));
    const inode = `${info.dev}:${info.ino}`;
    const first = info.isDirectory() ? name : (firstNames.get(inode) ?? name);
    firstNames.set(inode, first);
    return [
      name,
      (info.mode & 0o177777n).toString(8),
      `${info.uid}:${info.gid}`,
      rounded(info.mtimeNs, timeDigits),
      first === name ? '' : `=${first}`,
      info.isFile() ? `${info.size} ${createHash('sha256').update(fs.readFileSync(path)).digest('hex').slice(0, 12)}` : '',
      info.isSymbolicLink() ? `-> ${fs.readlinkSync(path)}` : '',
      info.isBlockDevice() || info.isCharacterDevice() ? `dev ${info.rdev}` : '',
      attributes.get(path) ?? '',
    ].join(' | ');
  });
}

function rounded(ns: bigint, digits: number): string {
  const unit = 10n ** BigInt(9 - digits);
  return String((ns + unit / 2n) / unit);
}

function readAttributes(root: string): Map<string, string> {
  const text = execFileSync('getfattr', ['-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '--absolute-names', root], {
    encoding: 'latin1',
    maxBuffer: 1 << 28,
  });
  const blocks = text.split('\n\n').map((block) => block.split('\n').filter(Boolean));
  return new Map(
    blocks.flatMap(([head, ...lines]) => {
      if (head === undefined) return [];
      const quoted = head
        .slice('# file: '.length)
        .replace(/\\([0-7]{3})/g, (_all, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
      const kept = lines.filter((line) => !/^(trusted|user)\.overlay\.|^security\.selinux/.test(line));
      return [[Buffer.from(quoted, 'latin1').toString('utf8'), kept.sort().join(' ')] as const];
    }),
  );
}
