/**
 * For processes that get their work as open descriptors: what they do with those. An entry of its own beside index.ts, as half of a worker's
 * start went by loading the rest of the kernel, with which it has nothing to do.
 *
 * Knows: which files belong together.
 * Does not know: who uses them.
 */
export { ConfinedDirectory, confinedFile, type EntryStat, isErrno } from './confined.ts';
export { setXattrAt } from './set-xattr.ts';
export { workerDescriptor } from './worker-descriptor.ts';
