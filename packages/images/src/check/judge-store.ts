/**
 * What is wrong with a store, and what is merely left over in it. Pure: the same view gives the same findings.
 *
 * Knows: what has to be true of blobs, snapshots and records together.
 * Does not know: where they are, or whether anybody is changing them.
 */
import { chainIds, type Descriptor, type Digest, parseDigest } from '@slipway/oci';
import { UNPACK_KEY_PREFIX } from '../unpack-image.ts';
import type { StoreFaultCode, StoreFinding, StoreLeftoverCode } from './store-report.ts';
import type { StoreView, ViewedImage } from './store-view.ts';

export interface Judgement {
  readonly faults: readonly StoreFinding<StoreFaultCode>[];
  readonly leftovers: readonly StoreFinding<StoreLeftoverCode>[];
}

/** @param corrupt blobs whose bytes were read and are others */
export function judgeStore(view: StoreView, corrupt: ReadonlySet<Digest>): Judgement {
  const faults: StoreFinding<StoreFaultCode>[] = [];
  const fault = (code: StoreFaultCode, subject: string, message: string) => void faults.push({ code, subject, message });
  for (const text of view.records.faults) fault('record-damaged', 'images.db', text);
  for (const text of view.snapshots.recordFaults) fault('record-damaged', 'snapshots/metadata.db', text);
  for (const digest of corrupt) fault('blob-corrupt', digest, 'its bytes no longer match its digest');
  for (const image of view.images) judgeImage(image, view, fault);
  for (const { layer } of view.steps) {
    if (layer !== undefined) judgeBlob(layer.descriptor, 'a kept build step', view, fault);
  }
  judgeSnapshots(view, fault);
  return { faults: unique(faults), leftovers: findLeftovers(view) };
}

type Fault = (code: StoreFaultCode, subject: string, message: string) => void;

function judgeImage(image: ViewedImage, view: StoreView, fault: Fault): void {
  const who = nameOf(image, view);
  judgeBlob(image.manifest, who, view, fault);
  for (const digest of indexesOf(image, view)) if (!isHere(digest, view)) fault('blob-missing', digest, `${who} needs it`);
  const failure = documentFailure(image);
  if (failure !== undefined) fault('document-invalid', image.id, `${who}: ${failure}`);
  if (failure !== undefined || image.documents === undefined) return;
  const { manifest, config } = image.documents;
  for (const descriptor of [manifest.config, ...manifest.layers]) judgeBlob(descriptor, who, view, fault);
  judgeLayers(chainIds(config.diffIds), who, view, fault);
}

function documentFailure(image: ViewedImage): string | undefined {
  if (image.documents === undefined) return image.failure;
  const { manifest, config } = image.documents;
  if (manifest.config.digest !== image.id) return `its manifest has the config ${manifest.config.digest}`;
  if (manifest.layers.length !== config.diffIds.length) return `${config.diffIds.length} diff ids for ${manifest.layers.length} layers`;
  return undefined;
}

function judgeLayers(chains: readonly string[], who: string, { records, snapshots }: StoreView, fault: Fault): void {
  const sized = new Set(records.layers);
  for (const [index, chainId] of chains.entries()) {
    const layer = `layer ${index + 1} of ${who}`;
    const snapshot = snapshots.snapshots.get(chainId);
    if (snapshot?.kind !== 'committed') {
      fault('snapshot-missing', chainId, `${layer} is not unpacked`);
      continue;
    }
    const below = chains[index - 1] ?? '';
    if (snapshot.parent !== below)
      fault('snapshot-parent', chainId, `${layer} stands on ${quoted(snapshot.parent)}, not on ${quoted(below)}`);
    if (!sized.has(chainId)) fault('layer-size', chainId, `how large ${layer} is was not written down`);
  }
}

function quoted(name: string): string {
  return name === '' ? 'nothing' : JSON.stringify(name);
}

function judgeBlob({ digest, size }: Descriptor, who: string, { content, shared, arriving }: StoreView, fault: Fault): void {
  const blob = content.blobs.get(digest) ?? shared.get(digest);
  if (blob === undefined && arriving.has(digest)) return;
  if (blob === undefined) fault('blob-missing', digest, `${who} needs it`);
  else if (blob.sizeBytes !== size) fault('blob-size', digest, `it has ${blob.sizeBytes} bytes, ${who} says ${size}`);
}

function isHere(digest: Digest, { content, shared }: StoreView): boolean {
  return content.blobs.has(digest) || shared.has(digest);
}

function judgeSnapshots({ snapshots: { snapshots, withoutDirectory } }: StoreView, fault: Fault): void {
  for (const name of withoutDirectory) fault('snapshot-directory', name, 'its files are not there');
  for (const { name, parent } of snapshots.values()) {
    if (parent === '') continue;
    const below = snapshots.get(parent);
    if (below === undefined) fault('snapshot-parent', name, `it stands on ${JSON.stringify(parent)}, which is not there`);
    else if (below.kind !== 'committed') fault('snapshot-parent', name, `it stands on ${JSON.stringify(parent)}, which is not committed`);
    if (isBelowItself(name, snapshots)) fault('snapshot-parent', name, 'what it stands on leads in a circle');
  }
}

function isBelowItself(name: string, snapshots: StoreView['snapshots']['snapshots']): boolean {
  const seen = new Set<string>();
  for (let at = snapshots.get(name); at !== undefined && at.parent !== ''; at = snapshots.get(at.parent)) {
    if (seen.has(at.name)) return true;
    seen.add(at.name);
  }
  return false;
}

function findLeftovers(view: StoreView): StoreFinding<StoreLeftoverCode>[] {
  const { content, snapshots, records } = view;
  const neededChains = new Set<string>(
    view.images.flatMap(({ documents }) => (documents === undefined ? [] : chainIds(documents.config.diffIds))),
  );
  const parents = new Set([...snapshots.snapshots.values()].map(({ parent }) => parent));
  const neededBlobs = blobsInUse(view);
  // What an image needs that cannot be read, nobody knows.
  const isKnown = view.images.every(({ documents }) => documents !== undefined);
  const left = (code: StoreLeftoverCode, message: string) => (subject: string) => ({ code, subject, message });
  const all = [...snapshots.snapshots.values()];
  return [
    ...[...content.blobs.keys()].filter((digest) => isKnown && !neededBlobs.has(digest)).map(left('blob-unneeded', 'no image names it')),
    ...content.ingests.map(({ name }) => `content/ingests/${name}`).map(left('ingest', 'a blob that was not written to its end')),
    ...content.strangers.map((path) => `content/${path}`).map(left('file-unknown', 'it is no blob')),
    ...all
      .filter(({ name, kind }) => kind === 'active' && name.startsWith(UNPACK_KEY_PREFIX))
      .map(({ name }) => left('snapshot-unpacking', 'a layer that was not unpacked to its end')(name)),
    ...all
      .filter(({ name, kind }) => kind === 'committed' && isKnown && !neededChains.has(name) && !parents.has(name))
      .map(({ name }) => left('snapshot-unneeded', 'no image and no other snapshot stands on it')(name)),
    ...snapshots.strangers.map((name) => `snapshots/${name}`).map(left('directory-unknown', 'no snapshot has it')),
    ...records.layers
      .filter((chainId) => !snapshots.snapshots.has(chainId))
      .map(left('size-unneeded', 'the size of a layer that is not here')),
  ];
}

function blobsInUse(view: StoreView): ReadonlySet<Digest> {
  const needed = new Set<Digest>();
  for (const image of view.images) {
    needed.add(image.id).add(image.manifest.digest);
    for (const digest of indexesOf(image, view)) needed.add(digest);
    for (const { digest } of image.documents?.manifest.layers ?? []) needed.add(digest);
  }
  for (const { layer } of view.steps) if (layer !== undefined) needed.add(layer.descriptor.digest);
  return needed;
}

/** What registries have the image as: its manifest, or the index that it was found in. */
function indexesOf({ id }: ViewedImage, { records }: StoreView): Digest[] {
  return records.repoDigests.filter(({ image }) => image === id).map(({ name }) => parseDigest(name.slice(name.indexOf('@') + 1)));
}

function nameOf({ id }: ViewedImage, { records }: StoreView): string {
  return records.names.find(({ image }) => image === id)?.name ?? `image ${id}`;
}

/** Two images may share what is wrong. */
function unique(faults: readonly StoreFinding<StoreFaultCode>[]): StoreFinding<StoreFaultCode>[] {
  return [...new Map(faults.map((fault) => [`${fault.code} ${fault.subject}`, fault])).values()];
}
