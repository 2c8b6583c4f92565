/**
 * One image, or two beside each other, as boxes and lines; a layer that both have is one box.
 *
 * Knows: how parts look and how the arrow keys go from one to the next. Does not know: what else is told of the selected one (details.tsx).
 */
import { scaleSqrt } from 'd3';
import { type CSSProperties, type KeyboardEvent, useMemo, useRef, useState } from 'react';
import { formatBytes, shortenId, visible } from '../base/format.ts';
import { useWidth } from '../base/use-width.ts';
import { layoutImages, type PartBox } from './layout.ts';
import { type ImagePart, type JoinedImages, partTitle } from './model.ts';

export interface ImagePictureProps {
  readonly joined: JoinedImages;
  /** Names of the images, in the same order. */
  readonly names: readonly string[];
  readonly filter: string;
  /** Digest. */
  readonly selected: string | undefined;
  readonly onSelect: (digest: string) => void;
}

const LETTERS = { index: 'I', manifest: 'M', config: 'C', layer: 'L', other: '?' } as const;

export function ImagePicture({ joined, names, filter, selected, onSelect }: ImagePictureProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [all, setAll] = useState(false);
  const layout = useMemo(() => layoutImages(joined, { width, all }), [joined, width, all]);
  const size = useMemo(() => sizeScale(joined), [joined]);
  const related = selected === undefined ? undefined : joined.parts.get(selected);
  return (
    <div className="image-picture">
      <p className="image-names">
        {names.map((name) => (
          <strong key={name}>{visible(name)}</strong>
        ))}
      </p>
      <div ref={box} className="image-graph" style={{ height: layout.height }}>
        <svg aria-hidden="true" width={width} height={layout.height}>
          {layout.links.map((link) => (
            <path
              key={`${link.side}${link.from}${link.to}`}
              d={link.line}
              data-side={link.side}
              className={link.from === related?.digest || link.to === related?.digest ? 'lit' : ''}
            />
          ))}
        </svg>
        <ul onKeyDown={partKeys}>
          {layout.boxes.map((placed) => (
            <Part
              key={placed.part.digest}
              placed={placed}
              names={names}
              share={size(placed.part.sizeBytes)}
              isOpen={joined.lanes.some(({ open }) => open === placed.part)}
              isSelected={placed.part.digest === selected}
              isDimmed={!matches(placed.part, filter)}
              onSelect={onSelect}
            />
          ))}
        </ul>
      </div>
      {layout.leftOut > 0 || all ? (
        <button type="button" className="button quiet" onClick={() => setAll(!all)}>
          {all ? 'Fewer manifests' : `${layout.leftOut} more manifests`}
        </button>
      ) : null}
    </div>
  );
}

interface PartProps extends Pick<ImagePictureProps, 'names' | 'onSelect'> {
  readonly placed: PartBox;
  /** Of the largest layer, 0 to 1. */
  readonly share: number;
  readonly isOpen: boolean;
  readonly isSelected: boolean;
  readonly isDimmed: boolean;
}

function Part({ placed, names, share, isOpen, isSelected, isDimmed, onSelect }: PartProps) {
  const { part, x, y, width, height, level } = placed;
  const isShared = names.length > 1 && part.sides.length > 1;
  const style = { left: x, top: y, width, height, '--share': share, '--slab': `var(--layer-${1 + (Math.max(0, level) % 4)})` };
  return (
    <li style={style as CSSProperties} className={`part ${part.kind} ${isDimmed ? 'dimmed' : ''} ${isShared ? 'shared' : ''}`}>
      <button type="button" aria-pressed={isSelected} title={part.digest} onClick={() => onSelect(part.digest)}>
        <span className="part-letter" aria-hidden="true">
          {LETTERS[part.kind]}
        </span>
        <span className="part-title">
          <PartName part={part} />
          {part.taken ? ' · this machine’s' : ''}
          {isOpen && part.platform !== undefined ? <span className="sr-only"> (open below)</span> : null}
        </span>
        <span className="num">{formatBytes(part.sizeBytes)}</span>
        <code className="part-digest">{shortenId(part.digest, 13, 4)}</code>
        {isShared ? <span className="part-both">in both</span> : null}
        {part.kind === 'layer' ? <i aria-hidden="true" className="part-size" /> : null}
      </button>
    </li>
  );
}

/** What tells it from its like stands first; the kind is in the letter, too. */
function PartName({ part }: { readonly part: ImagePart }) {
  const { kind, createdBy, platform } = part;
  const [prefix, name] =
    createdBy !== undefined ? ['layer: ', createdBy] : kind === 'manifest' && platform !== undefined ? ['manifest for ', platform] : [];
  if (name === undefined) return visible(partTitle(part));
  return (
    <>
      <span className="sr-only">{prefix}</span>
      {visible(name)}
    </>
  );
}

/** A layer of a few bytes is still a line, beside one of 250 MB. */
function sizeScale({ parts }: JoinedImages): (bytes: number) => number {
  const largest = Math.max(1, ...[...parts.values()].filter(({ kind }) => kind === 'layer').map(({ sizeBytes }) => sizeBytes));
  return scaleSqrt([0, largest], [0.015, 1]);
}

export function matches(part: ImagePart, filter: string): boolean {
  const wanted = filter.trim().toLowerCase();
  const text = `${part.kind} ${part.digest} ${part.mediaType} ${part.platform ?? ''} ${part.createdBy ?? ''} ${part.document ?? ''}`;
  return wanted === '' || text.toLowerCase().includes(wanted);
}

function partKeys(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (step === undefined) return;
  const parts = [...event.currentTarget.querySelectorAll<HTMLElement>('button')];
  parts[parts.indexOf(document.activeElement as HTMLElement) + step]?.focus();
  event.preventDefault();
}
