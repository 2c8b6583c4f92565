/**
 * Makes the disk every lab machine begins with: the skeleton of a Debian root directory plus an engine root that already
 * holds the lessons' images, so that a new machine is ready at once.
 *
 *     node scripts/make-machine-disk.ts OUT.img
 *
 * Knows: what is on the disk. Does not know: how a machine uses it (packages/machine).
 */
import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openImageStore } from '@slipway/images';
import { hostPlatform } from '@slipway/oci';
import { STATE_DIR } from './bootstrap/paths.mjs';

/** Room a learner has; the file is sparse, so that an unused machine costs a few MiB. */
const DISK_BYTES = 2 * 1024 ** 3;
const IMAGES = [`${STATE_DIR}/images/busybox.tar`];

const [out] = process.argv.slice(2);
if (out === undefined) throw new Error('usage: node scripts/make-machine-disk.ts OUT.img');
const work = await mkdtemp(join(tmpdir(), 'slipway-disk-'));
try {
  const root = join(work, 'root');
  await cp(`${STATE_DIR}/tools/skeleton`, root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  await preloadImages(join(root, 'var/lib/slipway'));
  await writeFile(`${out}.new`, '');
  await truncate(`${out}.new`, DISK_BYTES);
  const options = 'lazy_itable_init=1,lazy_journal_init=1,nodiscard';
  execFileSync('mkfs.ext4', ['-q', '-F', '-L', 'slipway', '-J', 'size=8', '-m', '1', '-E', options, '-d', root, `${out}.new`]);
  await rename(`${out}.new`, out);
} finally {
  await rm(work, { recursive: true, force: true });
}

/** The engine's own loader does it, so that what is on the disk is what `docker load` would have made. */
async function preloadImages(engineRoot: string): Promise<void> {
  await mkdir(engineRoot, { recursive: true });
  const store = await openImageStore({ root: engineRoot, platform: hostPlatform(process.arch) });
  for (const file of IMAGES) await store.loadArchive(createReadStream(file));
  await store.close();
}
