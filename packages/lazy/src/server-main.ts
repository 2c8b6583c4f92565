/**
 * The process that serves an image's layers while they arrive. It outlives the daemon, as containers do, and ends when nothing of the image
 * is mounted any more.
 *
 * Knows: its task, and the order of things: mount, show, read what everybody reads first, say so, fill.
 * Does not know: stores, snapshots, or who reads.
 */
import { bindDirectory, createSparseFile, FuseDevice, inUserNamespace, readText, uncover, workerDescriptor } from '@slipway/kernel';
import { digestOf } from '@slipway/oci';
import { RegistryClient, type Repository } from '@slipway/registry-client';
import { FOOTER_BYTES } from './estargz/footer.ts';
import { badIndex, entryOfToc, MAX_TOC_BYTES, parseToc } from './estargz/toc.ts';
import type { LazyEvent } from './events.ts';
import { LayerFiles } from './fuse/files.ts';
import { LayerSource, reasonOf } from './layer-source.ts';
import { findNode, type LayerNode, planLayerTree } from './layer-tree.ts';
import { RecentChunks } from './recent-chunks.ts';
import { type ServedLayer, type ServerTask, sessionFiles } from './server-task.ts';

/** Decompressed pieces that are kept; the kernel keeps pages beside. */
const RECENT_BYTES = 32 * 1024 * 1024;
/** What an engine reads of every image before its first container starts. */
const READ_FIRST = ['etc/passwd', 'etc/group'];

const tell = (event: LazyEvent) => workerDescriptor.appendLine(3, JSON.stringify(event));

async function serve({ session, directory, credentials, proxies }: ServerTask): Promise<void> {
  const { insecureRegistries, certificatesDirectory } = session;
  const files = sessionFiles(directory);
  const client = new RegistryClient({
    insecureRegistries,
    proxies,
    ...(certificatesDirectory === undefined ? {} : { certificatesDirectory }),
  });
  const repository = await client.reopen(session.place, credentials);
  const trees = await Promise.all(session.layers.map((layer, at) => readTree(layer, files.toc(at))));
  const recent = new RecentChunks(RECENT_BYTES);
  const sources = await Promise.all(
    session.layers.map(async ({ descriptor }, layer) => {
      const file = await createSparseFile(files.blob(layer), descriptor.size);
      const fetch = ({ start, end }: { readonly start: number; readonly end: number }) => fetchPart(repository, descriptor, start, end);
      return new LayerSource({ layer, sizeBytes: descriptor.size, file, fetch, recent, tell });
    }),
  );
  let waiting = 0;
  const paths = trees.map(pathsOf);
  const read = async (layer: number, node: LayerNode, range: { readonly offset: number; readonly size: number }) => {
    const path = paths[layer]?.get(node) ?? '';
    waiting++;
    try {
      return (await sources[layer]?.read(node, path, range)) ?? new Uint8Array();
    } catch (error) {
      tell({ event: 'failed', layer, path, reason: reasonOf(error) });
      throw error;
    } finally {
      waiting--;
    }
  };
  const device = FuseDevice.open();
  const served = new LayerFiles(trees, read, (parts) => device.reply(parts));
  const serving = device.serve((request) => served.handle(request));
  await device.mount('slipway-lazy', files.mountPoint);
  await show(session.layers, files.mountPoint);
  await readFirst(trees, read);
  tell({ event: 'ready' });
  void fillAll(sources, () => waiting > 0);
  await serving;
}

/** Every layer at its place; what remains is held by those, and by who mounts them. */
async function show(layers: readonly ServedLayer[], mountPoint: string): Promise<void> {
  try {
    for (const [layer, { target }] of layers.entries()) await bindDirectory(`${mountPoint}/${layer}`, target);
  } catch (error) {
    for (const { target } of layers) await uncover(target);
    throw error;
  } finally {
    await uncover(mountPoint);
  }
}

async function fillAll(sources: readonly LayerSource[], isWaitedFor: () => boolean): Promise<void> {
  for (const source of sources) await source.fill(isWaitedFor);
}

/** The engine reads them without waiting for anything else; so they are here before it does. */
async function readFirst(
  trees: readonly LayerNode[],
  read: (layer: number, node: LayerNode, range: { readonly offset: number; readonly size: number }) => Promise<unknown>,
): Promise<void> {
  for (const [layer, tree] of trees.entries()) {
    for (const path of READ_FIRST) {
      const node = findNode(tree, path);
      if (node?.type === 'file' && node.sizeBytes > 0) await read(layer, node, { offset: 0, size: node.sizeBytes });
    }
  }
}

async function readTree({ descriptor, tocDigest, tocOffset, tocMember, below }: ServedLayer, file: string): Promise<LayerNode> {
  const text = Buffer.from(await readText(file, { maxBytes: MAX_TOC_BYTES }));
  if (digestOf(text) !== tocDigest) throw badIndex('its digest is another');
  const tocEnd = descriptor.size - FOOTER_BYTES;
  const own = entryOfToc({ tocDigest, tocOffset, tocMember, tocEnd, tocBytes: text.byteLength });
  const entries = [...parseToc(text, tocOffset), own];
  return planLayerTree(entries, {
    below: (path) => {
      const known = below[path];
      return known === undefined ? { kind: 'absent' } : { ...known, kind: 'directory', mtimeNs: BigInt(known.mtimeNs) };
    },
    withDevices: !inUserNamespace(),
  });
}

async function fetchPart(repository: Repository, descriptor: ServedLayer['descriptor'], start: number, end: number): Promise<Uint8Array> {
  const bytes = await repository.fetchRange(descriptor, { start, end });
  if (bytes === undefined) throw new Error('the registry no longer sends parts of blobs');
  return bytes;
}

/** For people to read: where in the layer a file is; of several names the first. */
function pathsOf(root: LayerNode): ReadonlyMap<LayerNode, string> {
  const paths = new Map<LayerNode, string>();
  const walk = (node: LayerNode, path: string): void => {
    if (!paths.has(node)) paths.set(node, path);
    for (const [name, child] of node.children ?? []) walk(child, path === '' ? name : `${path}/${name}`);
  };
  walk(root, '');
  return paths;
}

const task = JSON.parse(await workerDescriptor.input()) as ServerTask;
await serve(task).catch((error: unknown) => tell({ event: 'refused', reason: reasonOf(error) }));
// Threads that wait for the device would hold up an ordinary end.
process.kill(process.pid, 'SIGKILL');
