/**
 * What the page is told of a stack of layers: sums, a directory, what a search finds.
 *
 * Knows: how much fits into one answer. Does not know: how the layers were read.
 */
import type { WorkbenchAnswer, XrayEntry } from '@slipway/contracts';
import { findEntries, type ListedEntry, listDirectory, sumLayers } from '@slipway/layers';
import { pathNames } from '../layer-look.ts';
import type { LayerFacts } from './documents.ts';
import type { LayerXray } from './xrays.ts';

const MAX_WASTED = 100;
const MAX_ENTRIES = 1000;
const MAX_FOUND = 300;
/** Of one answer, which is a line of a bounded length. */
const MAX_ANSWER_CHARACTERS = 1_000_000;
const MAX_PATH = 4096;
const MAX_TARGET = 300;

/** @param layers what the image's config says of each, lowest first */
export function summaryOf(image: string, xray: LayerXray, layers: readonly LayerFacts[]): WorkbenchAnswer<'xray'> {
  const sums = sumLayers(xray.tree, xray.directories.length, MAX_WASTED);
  const total = (field: 'fileBytes' | 'wastedBytes') => sums.layers.reduce((sum, layer) => sum + layer[field], 0);
  return {
    image,
    stack: xray.stack,
    layers: sums.layers.map((layer, index) => ({
      ...layer,
      diffId: layers[index]?.diffId ?? '',
      directory: xray.directories[index] ?? '',
      ...(layers[index]?.createdBy === undefined ? {} : { createdBy: layers[index].createdBy }),
    })),
    fileBytes: total('fileBytes'),
    wastedBytes: total('wastedBytes'),
    wasted: sums.wasted.filter(({ path }) => path.length <= MAX_PATH),
    truncated: xray.truncated,
  };
}

/** @throws `failed-precondition` / `E_WORKBENCH_PATH` */
export function directoryOf(xray: LayerXray, path: string, layer: number | undefined): WorkbenchAnswer<'xrayDirectory'> {
  const clean = `/${pathNames(path).join('/')}`;
  const listed = listDirectory(xray.tree, clean, layer);
  return { path: clean, entries: fitting(listed.map(toEntry), MAX_ENTRIES), total: listed.length };
}

export function searchIn(xray: LayerXray, text: string): WorkbenchAnswer<'xrayFind'> {
  const found = findEntries(xray.tree, text);
  return { entries: fitting(found.filter(({ name }) => name.length <= MAX_PATH).map(toEntry), MAX_FOUND), total: found.length };
}

/** As many, from the first, as an answer may hold. */
export function fitting<T>(entries: readonly T[], most: number): T[] {
  let room = MAX_ANSWER_CHARACTERS;
  return entries.slice(0, most).filter((entry) => {
    room -= JSON.stringify(entry).length;
    return room > 0;
  });
}

function toEntry({ name, entry, below }: ListedEntry): XrayEntry {
  const { kind, mark, layer, sizeBytes, mode, uid, gid, coveredBy, target, opaque } = entry;
  return {
    name,
    kind,
    mark,
    layer,
    sizeBytes,
    mode,
    uid,
    gid,
    ...(coveredBy === undefined ? {} : { coveredBy }),
    ...(target === undefined ? {} : { target: target.slice(0, MAX_TARGET) }),
    // The kernel marks every new directory so; it hides something where there was one.
    ...(opaque === true && mark !== 'added' ? { opaque } : {}),
    ...(below === undefined ? {} : { below }),
  };
}
