/**
 * How much of lazily pulled images is here, in places where docker's clients show a driver's own words.
 *
 * Knows: those places take pairs of texts.
 * Does not know: how layers arrive.
 */
import type { BackendImage } from './backend.ts';

/** For an image's `GraphDriver.Data`; null for one that is whole, as docker says it of drivers with nothing to say. */
export function arrivalData(image: BackendImage): Readonly<Record<string, string>> | null {
  const text = arrivalText([image]);
  return text === undefined ? null : { Arriving: text };
}

/** For `docker info`; empty when all images are whole. */
export function arrivalStatus(images: readonly BackendImage[]): readonly (readonly [string, string])[] {
  const text = arrivalText(images);
  return text === undefined ? [] : [['Arriving', text]];
}

function arrivalText(images: readonly BackendImage[]): string | undefined {
  const layers = images.flatMap((image) => image.layers).filter(({ hereBytes }) => hereBytes !== undefined);
  // Images may have them in common.
  const arriving = [...new Map(layers.map((layer) => [layer.chainId, layer])).values()];
  if (arriving.length === 0) return undefined;
  const here = arriving.reduce((sum, { hereBytes = 0 }) => sum + hereBytes, 0);
  const all = arriving.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
  return `${arriving.length} layer${arriving.length === 1 ? '' : 's'}, ${here} of ${all} bytes are here`;
}
