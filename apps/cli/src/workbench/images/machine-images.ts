/**
 * Looking at images in this machine: where its engine and its registry are.
 *
 * Knows: the places. Does not know: how anything is read.
 */
import type { ImageGraph, ListedImage } from '@slipway/contracts';
import { findImage, listNamesAndIds } from '../engine-facts.ts';
import { EngineBlobs } from './engine-blobs.ts';
import { readImageGraph } from './image-graph.ts';
import { listAllImages } from './image-list.ts';
import { MachineRegistry } from './machine-registry.ts';

const REGISTRY = new MachineRegistry('http://127.0.0.1:5000');
const BLOBS = new EngineBlobs('/var/lib/slipway/content');

/** The engine's, and those that only wait in the registry. */
export async function listedImages(): Promise<readonly ListedImage[]> {
  return await listAllImages(await listNamesAndIds(), REGISTRY);
}

/** @throws `failed-precondition` / `E_WORKBENCH_IMAGE`, `E_WORKBENCH_ENGINE` */
export async function graphOf(image: string): Promise<ImageGraph> {
  return await readImageGraph(image, await findImage(image), { registry: REGISTRY, blobs: BLOBS });
}
