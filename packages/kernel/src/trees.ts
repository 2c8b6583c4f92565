/**
 * For those who read strangers' trees through workers: attributes, files without a name, mounts that a worker alone sees. An entry of its
 * own beside index.ts, as most of what uses the kernel has nothing to do with trees.
 *
 * Knows: which files belong together.
 * Does not know: who uses them.
 */
export { readXattrsAt, type Xattrs } from './read-xattrs.ts';
export { openSpoolFile, type SpoolFile } from './spool-file.ts';
export type { WorkerMount } from './worker-process.ts';
