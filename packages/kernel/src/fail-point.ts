/**
 * The steps at which the image store can be made to fail: before or after each of them the disk holds something else.
 *
 * A test arms one (packages/testing/src/arm-fail-point.ts, loaded before the program); otherwise passing a point does nothing. Only
 * code in the same process can arm one: no variable, flag or file of a running engine does.
 *
 * Knows: the points' names.
 * Does not know: what happens at one.
 */

/** In the order of a pull; then those of making, keeping and removing. */
export const FAIL_POINTS = [
  'ingest.write', // some bytes of a blob are written, before the next
  'blob.sync', // all are, before fsync
  'blob.rename', // before the blob gets its name
  'blob.visible', // it has it
  'snapshot.made', // a snapshot's directory is there, before its row
  'snapshot.prepared', // the row is, too
  'layer.applied', // all files of a layer are there
  'layer.sized', // its size is written down, before the snapshot is committed
  'snapshot.synced', // its files are on the disk
  'snapshot.committed', // its row says so
  'image.record', // everything of an image is here, before its record
  'image.recorded', // its names mean it
  'image.known', // where it is in a registry is written down
  'layer.packed', // a new layer's bytes are written, before they become a blob
  'rootfs.adopted', // a build step's root file system has become the layer's snapshot
  'step.kept', // a build step's result is remembered
  'image.untagged', // a removed image's record is gone, before anything else of it
  'snapshot.forgotten', // a removed snapshot's row is gone, before its directory
  'blob.deleted', // one blob that nobody needs is gone
  'garbage.collected', // all of them are
] as const;

export type FailPoint = (typeof FAIL_POINTS)[number];

/** Under this name of `globalThis` stands what a test has armed. */
const ARMED = Symbol.for('slipway.failPoint');

/** Passes a point. @throws what the armed failure throws */
export function failPoint(point: FailPoint): void {
  (globalThis as { [ARMED]?: (point: FailPoint) => void })[ARMED]?.(point);
}
