/**
 * One part of an image in full: what it is, its JSON with digests as links, and the line that fetches it from the machine's registry.
 *
 * Knows: one part and those around it. Does not know: the picture.
 */
import { Button, CopyButton } from '../base/controls.tsx';
import { formatBytes, visible } from '../base/format.ts';
import { highlightJson } from '../base/json.ts';
import { fetchCommand, type ImagePart, type JoinedImages, partTitle } from './model.ts';

export interface ImageDetailsProps {
  readonly joined: JoinedImages;
  readonly names: readonly string[];
  readonly selected: string | undefined;
  readonly onSelect: (digest: string) => void;
  /** Puts a line at the terminal's prompt. */
  readonly onType: (command: string) => void;
  /** Opens the layers of the image with this name. */
  readonly onLook: (image: string) => void;
}

export function ImageDetails({ joined, names, selected, onSelect, onType, onLook }: ImageDetailsProps) {
  const part = selected === undefined ? undefined : joined.parts.get(selected);
  if (part === undefined) {
    return (
      <section className="image-details" aria-label="Selected part">
        <p className="image-hint">
          Choose a part: its document, and the line that fetches it, are shown here. What a document names it names by digest, so a name
          always means the same bytes.
        </p>
      </section>
    );
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region has to be focusable
    <section className="image-details" aria-label="Selected part" tabIndex={0}>
      <h3>{visible(partTitle(part))}</h3>
      <dl className="facts">
        {factsOf(part, names).map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{visible(value)}</dd>
          </div>
        ))}
      </dl>
      <Fetch part={part} onType={onType} />
      <Neighbours title="named by" digests={part.namedBy} joined={joined} onSelect={onSelect} />
      <Neighbours title="names" digests={part.children ?? []} joined={joined} onSelect={onSelect} />
      {part.kind === 'layer' ? (
        <Button tone="act" onClick={() => onLook(names[part.sides[0] ?? 0] ?? '')}>
          Look into the layers
        </Button>
      ) : (
        <Document part={part} joined={joined} onSelect={onSelect} />
      )}
    </section>
  );
}

function factsOf(part: ImagePart, names: readonly string[]): readonly (readonly [string, string])[] {
  const facts: [string, string | undefined][] = [
    ['digest', part.digest],
    ['size', `${formatBytes(part.sizeBytes)} (${part.sizeBytes} bytes)`],
    ['media type', part.mediaType || undefined],
    ['made by', part.createdBy],
    ['uncompressed', part.diffId],
    ['in', names.length > 1 ? part.sides.map((side) => names[side] ?? '').join(' and ') : undefined],
    ['engine’s file', part.file],
  ];
  return facts.flatMap(([label, value]) => (value === undefined ? [] : [[label, value] as const]));
}

function Fetch({ part, onType }: { readonly part: ImagePart; readonly onType: (command: string) => void }) {
  const command = fetchCommand(part);
  if (command === undefined) {
    return (
      <p className="image-hint">
        The machine’s registry does not have it, so there is no address to fetch it from; <code>docker push 127.0.0.1:5000/…</code> puts an
        image there.
      </p>
    );
  }
  return (
    <div className="image-fetch">
      <Button tone="quiet" className="mono" title="Type this into the terminal; you press Enter" onClick={() => onType(command)}>
        {visible(command)}
      </Button>
      <CopyButton text={command} label="Copy the line" />
    </div>
  );
}

const MOST = 40;

function Neighbours(props: {
  readonly title: string;
  readonly digests: readonly string[];
  readonly joined: JoinedImages;
  readonly onSelect: (digest: string) => void;
}) {
  const parts = props.digests.flatMap((digest) => props.joined.parts.get(digest) ?? []);
  if (parts.length === 0) return null;
  return (
    <p className="image-neighbours">
      {props.title}{' '}
      {parts.slice(0, MOST).map((part) => (
        <button key={part.digest} type="button" className="link" title={part.digest} onClick={() => props.onSelect(part.digest)}>
          {visible(partTitle(part))} <code>{part.digest.slice(7, 13)}</code>
        </button>
      ))}
      {parts.length > MOST ? `and ${parts.length - MOST} more` : null}
    </p>
  );
}

function Document({ part, joined, onSelect }: Pick<ImageDetailsProps, 'joined' | 'onSelect'> & { readonly part: ImagePart }) {
  if (part.document === undefined) return <p className="image-hint">Its document is not shown: it was not read, or is too large.</p>;
  return (
    <figure className="payload">
      <figcaption>
        document
        <CopyButton text={part.document} label="Copy document" />
      </figcaption>
      <pre>
        {highlightJson(part.document).map(({ kind, text }, index) => {
          const digest = kind === 'string' ? text.slice(1, -1) : '';
          return joined.parts.has(digest) && digest !== part.digest ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: tokens of one immutable text
            <button key={index} type="button" className="json-link" onClick={() => onSelect(digest)}>
              {text}
            </button>
          ) : (
            // biome-ignore lint/suspicious/noArrayIndexKey: tokens of one immutable text
            <span key={index} className={`json-${kind}`}>
              {text}
            </span>
          );
        })}
      </pre>
    </figure>
  );
}
