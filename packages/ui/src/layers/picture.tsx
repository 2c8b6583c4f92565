/**
 * A container's file system as a stack: the image's layers in a cool ramp, the writable one warm on top.
 *
 * Knows: stacks from the journal, overlay's marks (added, changed, whiteout). Does not know: the files inside the image's layers.
 */
import type { LayerStack, UpperRow } from '@slipway/journal';
import { type CSSProperties, useState } from 'react';
import { formatBytes, formatCount, shortenId, visible } from '../base/format.ts';
import { MarkNote, markText } from '../base/mark-note.tsx';
import { type Selection, sameSelection } from '../base/selection.ts';
import { DataTable } from '../base/table.tsx';
import { servedBy, servedSentence, splitUpper } from './model.ts';

export interface LayerViewProps {
  readonly stack: LayerStack;
  readonly names: ReadonlyMap<string, string>;
  readonly filter: string;
  readonly selection: Selection | undefined;
  readonly onSelect: (selection: Selection) => void;
}

const GLYPH: Readonly<Record<UpperRow['kind'], string>> = {
  file: '+',
  directory: '/',
  symlink: '↪',
  device: '◆',
  whiteout: '✕',
  opaque: '◼',
};
const KIND_WORDS: Readonly<Record<UpperRow['kind'], string>> = {
  file: 'file',
  directory: 'directory',
  symlink: 'symbolic link',
  device: 'device',
  whiteout: 'whiteout: deleted here, still in the image',
  opaque: 'opaque directory: hides everything below',
};
const MOST = 120;

export function LayersPicture(props: LayerViewProps) {
  const { stack } = props;
  const { written, mountPoints } = splitUpper(stack);
  const entries = filterEntries(written, props.filter);
  const lower = stack.lower.toReversed();
  return (
    <div className="scroll layers-picture">
      <PathProbe stack={stack} />
      <ol className="stack" aria-label={`Layers of ${visible(stack.containerName)}, top first`}>
        <li className="slab write">
          <div className="slab-head">
            <strong>writable layer</strong>
            <span>this container’s own, gone with it</span>
            <span className="num">
              {formatCount(written.length, 'entry', 'entries')} · {formatBytes(stack.upperBytes)}
              {stack.whiteouts > 0 ? ` · ${formatCount(stack.whiteouts, 'whiteout')}` : ''}
            </span>
          </div>
          {entries.length === 0 ? (
            <p className="slab-empty">
              {written.length === 0 ? 'Nothing written yet: everything is still the image’s.' : 'No entry matches the filter.'}
            </p>
          ) : (
            <ul className="entries">
              {entries.slice(0, MOST).map((entry) => (
                <Entry key={entry.path} entry={entry} {...props} />
              ))}
              {entries.length > MOST ? <li className="more">and {entries.length - MOST} more: see the table</li> : null}
            </ul>
          )}
          {mountPoints.length > 0 ? (
            <p className="slab-mounts">
              {formatCount(mountPoints.length, 'mount point')} made by the runtime:{' '}
              {mountPoints.map((entry) => visible(entry.path)).join(', ')}
            </p>
          ) : null}
          {stack.removed.length > 0 ? (
            <p className="slab-removed">
              left it: {stack.removed.map((gone) => `${visible(gone.path)} (${markText(gone.mark)})`).join(', ')}
            </p>
          ) : null}
        </li>
        {lower.map((layer, index) => (
          <li
            key={`${layer.digest}${layer.directory}`}
            className="slab"
            style={{ '--slab': `var(--layer-${Math.max(1, 4 - (index % 4))})` } as CSSProperties}
          >
            <div className="slab-head">
              <strong>image layer {lower.length - index}</strong>
              <code title={layer.digest}>{shortenId(visible(layer.digest), 15, 6)}</code>
              {layer.sizeBytes === undefined ? null : <span className="num">{formatBytes(layer.sizeBytes)}</span>}
              <span>{sharedText(layer.sharedWith, props.names)}</span>
            </div>
            {layer.createdBy ? <code className="created-by">{visible(layer.createdBy)}</code> : null}
          </li>
        ))}
      </ol>
    </div>
  );
}

function sharedText(ids: readonly string[], names: ReadonlyMap<string, string>): string {
  if (ids.length === 0) return 'read-only, used by this container';
  if (ids.length <= 3) return `read-only, shared with ${ids.map((id) => visible(names.get(id) ?? shortenId(id))).join(', ')}`;
  return `read-only, shared with ${ids.length} containers: stored once`;
}

function Entry({ entry, stack, selection, onSelect }: LayerViewProps & { readonly entry: UpperRow }) {
  const mine: Selection = { kind: 'file', container: stack.container, path: entry.path };
  const selected = sameSelection(selection, mine);
  return (
    <li>
      <button
        type="button"
        className={`entry ${entry.kind} ${selected ? 'selected' : ''} ${entry.mark?.change ?? ''}`}
        aria-pressed={selected}
        title={`${KIND_WORDS[entry.kind]}${entry.mark ? `, ${markText(entry.mark)}` : ''}`}
        onClick={() => onSelect(mine)}
      >
        <span aria-hidden="true" className="glyph">
          {entry.mark?.change === 'changed' ? '~' : GLYPH[entry.kind]}
        </span>
        <code>{visible(entry.path)}</code>
        <span className="sr-only">{KIND_WORDS[entry.kind]}</span>
        {entry.kind === 'file' ? <span className="num">{formatBytes(entry.sizeBytes)}</span> : null}
        {entry.mark ? <MarkNote mark={entry.mark} /> : null}
      </button>
    </li>
  );
}

/** "How is this path served?" */
function PathProbe({ stack }: { readonly stack: LayerStack }) {
  const [path, setPath] = useState('');
  const asked = path.trim();
  return (
    <div className="probe">
      <label>
        Which layer serves
        <input
          type="text"
          value={path}
          placeholder="/etc/hostname"
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => setPath(event.target.value)}
        />
      </label>
      <p aria-live="polite">{asked === '' ? 'Type a path as the container sees it.' : servedSentence(servedBy(stack, asked), asked)}</p>
    </div>
  );
}

export function LayersText({ stack, filter, selection, onSelect }: LayerViewProps) {
  return (
    <DataTable
      caption={`Layers of ${stack.containerName}: the writable layer’s entries, then the image’s layers from the top`}
      columns={['layer', 'path or digest', 'kind', 'size', 'change']}
      rows={[
        ...filterEntries(stack.upper, filter).map((entry) => {
          const mine: Selection = { kind: 'file', container: stack.container, path: entry.path };
          return {
            key: entry.path,
            selected: sameSelection(selection, mine),
            onSelect: () => onSelect(mine),
            cells: [
              'writable',
              visible(entry.path),
              entry.mountPoint ? `${KIND_WORDS[entry.kind]}, made by the runtime to mount there` : KIND_WORDS[entry.kind],
              formatBytes(entry.sizeBytes),
              entry.mark ? markText(entry.mark) : '',
            ],
          };
        }),
        ...stack.lower.toReversed().map((layer, index) => ({
          key: `${layer.digest}${layer.directory}`,
          selected: false,
          onSelect: () => onSelect({ kind: 'container', id: stack.container }),
          cells: [
            `image ${stack.lower.length - index}`,
            shortenId(layer.digest, 15, 6),
            'read-only layer',
            layer.sizeBytes === undefined ? '—' : formatBytes(layer.sizeBytes),
            '',
          ],
        })),
      ]}
    />
  );
}

function filterEntries(entries: readonly UpperRow[], filter: string): readonly UpperRow[] {
  const wanted = filter.trim().toLowerCase();
  return wanted === '' ? entries : entries.filter((entry) => entry.path.toLowerCase().includes(wanted));
}
