/**
 * Makes the lessons' images, one OCI layout for all of them, from this machine's Debian packages and nothing else.
 *
 *     node scripts/make-lab-images.ts OUT BUSYBOX.tar
 *
 * A lab machine's registry serves this directory as it stands, read-only, under the names that lessons use, so `docker pull debian` works
 * without any network. Layers that images have in common are there once. Those of SHARED are also there unpacked, in OUT/shared, for the
 * machines' engines to use where they stand.
 *
 * Machines that run have OUT mounted: what was there becomes OUT.old, and what that was goes.
 *
 * Knows: which images there are.
 * Does not know: what each is made of (scripts/images), nor how it is served (packages/registry).
 */
import { createReadStream, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSharedImages } from '@slipway/images';
import { readTar } from '@slipway/layers';
import { digestOf, hostPlatform, parseImageConfig, parseManifestOrIndex } from '@slipway/oci';
import { addDebian } from './images/debian.ts';
import { Layout, type StoredLayer } from './images/layout.ts';
import { addAtlas, addBig, addHello, addLayersDemo, addWeb } from './images/teaching.ts';

/** What is large, and what every machine has. The others are small, and lessons show how they are pulled. */
const SHARED = ['busybox:latest', 'big:latest'];

const [out, busyboxArchive] = process.argv.slice(2);
if (out === undefined || busyboxArchive === undefined) {
  process.stderr.write('usage: node scripts/make-lab-images.ts OUT BUSYBOX.tar\n');
  process.exit(2);
}
const work = mkdtempSync(join(tmpdir(), 'slipway-images-'));
try {
  const fresh = `${out}.new`;
  rmSync(fresh, { recursive: true, force: true });
  const layout = new Layout(fresh);
  const busybox = await addBusybox(layout, busyboxArchive);
  addHello(layout, work);
  addWeb(layout, busybox);
  addLayersDemo(layout, busybox);
  addBig(layout, busybox);
  addAtlas(layout);
  await addDebian(layout, work);
  layout.finish();
  await writeSharedImages(`${fresh}/shared`, { layout: fresh, names: SHARED, platform: hostPlatform(process.arch) });
  rmSync(`${out}.old`, { recursive: true, force: true });
  if (existsSync(out)) renameSync(out, `${out}.old`);
  renameSync(fresh, out);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** As it is in its archive, so that `docker load` and `docker pull` give the same image. */
async function addBusybox(layout: Layout, archive: string): Promise<StoredLayer[]> {
  const files = new Map<string, Buffer>();
  for await (const { entry, content } of readTar(createReadStream(archive))) {
    const chunks: Uint8Array[] = [];
    for await (const { bytes } of content) chunks.push(Buffer.from(bytes));
    files.set(entry.name, Buffer.concat(chunks));
  }
  const blob = (digest: string) => files.get(`blobs/sha256/${digest.slice('sha256:'.length)}`) ?? Buffer.alloc(0);
  const index = parseManifestOrIndex(files.get('index.json') ?? Buffer.alloc(0));
  const [descriptor] = index.kind === 'index' ? index.manifests : [];
  if (descriptor === undefined) throw new Error(`${archive} holds no image`);
  const manifest = parseManifestOrIndex(blob(descriptor.digest));
  if (manifest.kind !== 'manifest') throw new Error(`${archive} holds no image of one platform`);
  const { diffIds } = parseImageConfig(blob(manifest.config.digest));
  layout.put(manifest.config.mediaType, blob(manifest.config.digest));
  const layers = manifest.layers.map(({ digest, mediaType }, at) => {
    const bytes = blob(digest);
    if (digestOf(bytes) !== digest) throw new Error(`${archive} lacks ${digest}`);
    return { createdBy: `busybox, layer ${at + 1}`, diffId: String(diffIds[at]), descriptor: layout.put(mediaType, bytes) };
  });
  layout.name(['busybox:latest'], layout.put(manifest.mediaType, blob(descriptor.digest)));
  return layers;
}
