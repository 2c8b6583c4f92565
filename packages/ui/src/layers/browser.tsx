/**
 * A directory as the container sees it, with the layer that serves each name and those that are covered.
 *
 * Knows: merged entries, and which of them is looked at. Does not know: how the layers are asked.
 */
import type { LayerLook } from '@slipway/contracts';
import { useId, useState } from 'react';
import { formatBytes, formatCount, visible } from '../base/format.ts';
import { deletionSentence, type MergedEntry, mergeLayers } from './merge.ts';

export interface LayerBrowserProps {
  /** Closed, it shows its title only, and nobody need ask the layers. */
  readonly isOpen: boolean;
  readonly onToggle: () => void;
  readonly path: string;
  /** Lowest first, the writable one last; undefined: not asked yet. */
  readonly layers: readonly LayerLook[] | undefined;
  /** Why there is no answer. */
  readonly failure?: string;
  readonly filter: string;
  readonly onOpen: (path: string) => void;
}

const MOST = 200;

export function LayerBrowser({ isOpen, onToggle, ...contents }: LayerBrowserProps) {
  const heading = useId();
  return (
    <section className="layer-browser" aria-labelledby={heading}>
      <h3 id={heading}>
        <button type="button" aria-expanded={isOpen} onClick={onToggle}>
          <span aria-hidden="true">{isOpen ? '▾' : '▸'} </span>Files, layer by layer
        </button>
      </h3>
      {isOpen ? <Contents {...contents} /> : null}
    </section>
  );
}

function Contents({ path, layers, failure, filter, onOpen }: Omit<LayerBrowserProps, 'isOpen' | 'onToggle'>) {
  const all = layers ? mergeLayers(layers) : [];
  const entries = all.filter(({ name }) => name.toLowerCase().includes(filter.trim().toLowerCase()));
  const covered = all.reduce((sum, entry) => sum + entry.coveredBytes, 0);
  return (
    <>
      <Crumbs path={path} onOpen={onOpen} />
      {failure ? <p className="browser-note">{failure}</p> : null}
      {layers ? (
        <p className="browser-note">
          {formatCount(all.length, 'name')} in this directory
          {covered > 0 ? ` · ${formatBytes(covered)} stored below and not seen here` : ''}
          {layers.some(({ truncated }) => truncated) ? ' · there are more than can be shown' : ''}
        </p>
      ) : null}
      <ul className="browser-rows">
        {entries.slice(0, MOST).map((entry) => (
          <Row key={entry.name} entry={entry} count={layers?.length ?? 0} path={path} onOpen={onOpen} />
        ))}
      </ul>
      {entries.length > MOST ? <p className="browser-note">and {entries.length - MOST} more: use the filter</p> : null}
    </>
  );
}

function Crumbs({ path, onOpen }: Pick<LayerBrowserProps, 'path' | 'onOpen'>) {
  const parts = path.split('/').filter((part) => part !== '');
  return (
    <nav className="browser-crumbs" aria-label="Directory">
      <button type="button" onClick={() => onOpen('/')}>
        /
      </button>
      {parts.map((part, index) => {
        const to = `/${parts.slice(0, index + 1).join('/')}`;
        return (
          <button key={to} type="button" onClick={() => onOpen(to)}>
            {visible(part)}
          </button>
        );
      })}
    </nav>
  );
}

interface RowProps extends Pick<LayerBrowserProps, 'path' | 'onOpen'> {
  readonly entry: MergedEntry;
  /** Of layers. */
  readonly count: number;
}

function Row({ entry, count, path, onOpen }: RowProps) {
  const [asked, setAsked] = useState(false);
  const writable = count - 1;
  const name = visible(entry.name);
  return (
    <li className={entry.kind === 'whiteout' ? 'gone' : undefined}>
      {entry.kind === 'directory' ? (
        <button type="button" className="browser-name" onClick={() => onOpen(`${path === '/' ? '' : path}/${entry.name}`)}>
          <code>{name}/</code>
        </button>
      ) : (
        <code className="browser-name">{name}</code>
      )}
      <span className="browser-from">{servedText(entry, writable)}</span>
      <span className="num">{entry.kind === 'file' ? formatBytes(entry.sizeBytes) : ''}</span>
      <button
        type="button"
        className="browser-ask"
        aria-expanded={asked}
        aria-label={`What if I delete ${name}?`}
        onClick={() => setAsked(!asked)}
      >
        delete?
      </button>
      {asked ? <p>{deletionSentence(entry, writable)}</p> : null}
    </li>
  );
}

/** Image layers are counted from the bottom, as in the stack. */
function servedText({ kind, servedBy, below }: MergedEntry, writable: number): string {
  const named = (index: number): string => (index === writable ? 'writable layer' : `image layer ${index + 1}`);
  const others = below.map(named).join(', ');
  if (kind === 'whiteout') return `deleted by a whiteout in the ${named(servedBy)}; still in ${others}`;
  if (others === '') return named(servedBy);
  return kind === 'directory' ? `${named(servedBy)}, with ${others}` : `${named(servedBy)}, covers ${others}`;
}
