/**
 * The layers of an image as a stack, with what each adds, changes, removes and wastes; one of them, or all, can be looked into.
 *
 * Knows: sums. Does not know: files.
 */
import type { Xray, XrayLayer } from '@slipway/contracts';
import type { CSSProperties } from 'react';
import { formatBytes, shortenId, visible } from '../base/format.ts';
import { layerName, layerSums } from './model.ts';

export interface XrayStackProps {
  readonly xray: Xray;
  /** Undefined: all together. */
  readonly layer: number | undefined;
  readonly onLayer: (layer: number | undefined) => void;
}

export function XrayStack({ xray, layer, onLayer }: XrayStackProps) {
  return (
    <ol className="stack xray-stack" aria-label={`Layers of ${visible(xray.image)}, top first`}>
      <li className="slab all">
        <button type="button" aria-pressed={layer === undefined} onClick={() => onLayer(undefined)}>
          <strong>all layers together</strong>
          <span className="num">{formatBytes(xray.fileBytes)}</span>
          <span className="slab-line">what a container sees, and what it no longer sees</span>
        </button>
      </li>
      {xray.layers
        .map((each, index) => <Slab key={`${each.diffId}${each.directory}`} layer={each} index={index} chosen={layer} onLayer={onLayer} />)
        .toReversed()}
    </ol>
  );
}

interface SlabProps {
  readonly layer: XrayLayer;
  readonly index: number;
  readonly chosen: number | undefined;
  readonly onLayer: (layer: number) => void;
}

function Slab({ layer, index, chosen, onLayer }: SlabProps) {
  return (
    <li className="slab" style={{ '--slab': `var(--layer-${1 + (index % 4)})` } as CSSProperties}>
      <button type="button" aria-pressed={chosen === index} title={layer.diffId} onClick={() => onLayer(index)}>
        <strong>{layerName(index)}</strong>
        <span className="num">{formatBytes(layer.fileBytes)}</span>
        <span className="slab-line">
          {layerSums(layer)}
          {layer.wastedBytes > 0 ? <b className="slab-waste"> · {formatBytes(layer.wastedBytes)} wasted</b> : null}
        </span>
        <code className="slab-line created-by">{visible(layer.createdBy ?? shortenId(layer.diffId, 15, 6))}</code>
      </button>
    </li>
  );
}
