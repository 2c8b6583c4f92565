/**
 * Looking at images in this machine: where its engine and its registry are.
 *
 * Knows: the places. Does not know: how anything is read.
 */
import type { ImageGraph, WorkbenchAnswer, Xray } from '@slipway/contracts';
import { chainIds, isDigest, parseDiffId } from '@slipway/oci';
import { findImage, listNamesAndIds } from '../engine-facts.ts';
import { unusable } from '../failures.ts';
import { layersOfConfig, parseDocument } from './documents.ts';
import { EngineBlobs } from './engine-blobs.ts';
import { readImageGraph } from './image-graph.ts';
import { listAllImages } from './image-list.ts';
import { MachineRegistry } from './machine-registry.ts';
import { summaryOf } from './xray-reports.ts';
import { Xrays } from './xrays.ts';

const REGISTRY = new MachineRegistry('http://127.0.0.1:5000');
const BLOBS = new EngineBlobs('/var/lib/slipway/content');
export const XRAYS = new Xrays('/var/lib/slipway/snapshots');

/** The engine's, and those that only wait in the registry. */
export async function listedImages(): Promise<WorkbenchAnswer<'imageList'>> {
  return await listAllImages(await listNamesAndIds(), REGISTRY);
}

/** @throws `failed-precondition` / `E_WORKBENCH_IMAGE`, `E_WORKBENCH_ENGINE`, `E_WORKBENCH_REGISTRY` */
export async function graphOf(image: string): Promise<ImageGraph> {
  return await readImageGraph(image, await findImage(image), { registry: REGISTRY, blobs: BLOBS });
}

/** @throws `failed-precondition` / `E_WORKBENCH_IMAGE` for an image that the engine does not have, or that has no layers */
export async function xrayOf(image: string): Promise<Xray> {
  const local = await findImage(image);
  const top = chainIds((local?.diffIds ?? []).map(parseDiffId)).at(-1);
  if (local === undefined) throw unusable(`the engine does not have ${JSON.stringify(image)}`, 'E_WORKBENCH_IMAGE', `docker pull ${image}`);
  if (top === undefined) throw unusable(`the image ${JSON.stringify(image)} has no layers`, 'E_WORKBENCH_IMAGE');
  const config = isDigest(local.id) ? await BLOBS.read(local.id) : undefined;
  const facts = layersOfConfig((config && parseDocument(config)) ?? {});
  const layers = local.diffIds.map((diffId, index) => ({ ...facts[index], diffId }));
  return summaryOf(image, await XRAYS.open(top), layers);
}
