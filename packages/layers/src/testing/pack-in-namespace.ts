/**
 * Run by a test as root of a user namespace: mounts an overlay below argv[2], changes it, and packs what changed into argv[3], and beside it
 * what the tree looked like.
 *
 * Knows: the directory names the test made.
 * Does not know: what is expected.
 */
import { execFileSync } from 'node:child_process';
import { createWriteStream, writeFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { packTree } from '../pack/pack.ts';
import { changeTree, summarize } from './trees.ts';

const [base = '', out = ''] = process.argv.slice(2);
const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((name) => `${base}/${name}`) as [
  string,
  string,
  string,
  string,
];
const mount = () =>
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${lower},upperdir=${upper},workdir=${work},userxattr`, merged]);
mount();
changeTree(merged, { nodes: false });
await packTree({
  source: { kind: 'overlay', upper, lowers: [lower], mountPoints: [] },
  form: 'none',
  sink: (bytes) => pipeline(bytes, createWriteStream(out)),
});
// What the kernel still knows of files from before their copy-up hides that two names have become one file.
execFileSync('umount', [merged]);
mount();
writeFileSync(`${out}.summary`, JSON.stringify(summarize(merged)));
