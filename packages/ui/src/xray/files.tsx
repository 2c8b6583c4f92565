/**
 * Files of layers: a directory, what a search finds in all layers, what is wasted, how another image differs.
 *
 * Knows: rows, and which of them lead on. Does not know: how the layers are asked.
 */
import type { WastedFile, XrayDiff, XrayEntry } from '@slipway/contracts';
import { formatBytes, formatCount, visible } from '../base/format.ts';
import { CHANGE_GLYPHS, diffNote, entryNote, layerName, MARK_GLYPHS } from './model.ts';

export interface ChosenFile {
  readonly layer: number;
  readonly path: string;
}

export interface XrayEntriesProps {
  /** Undefined: not asked yet. */
  readonly entries: readonly XrayEntry[];
  readonly total: number;
  /** The directory; absent: names are paths, found in all layers. */
  readonly path?: string;
  /** Entries of all layers: each says which it is from. */
  readonly inAll: boolean;
  readonly chosen: ChosenFile | undefined;
  readonly onDirectory: (path: string) => void;
  readonly onFile: (file: ChosenFile) => void;
}

export function XrayEntries(props: XrayEntriesProps) {
  const { entries, total, path } = props;
  const shown = `${formatCount(total, path === undefined ? 'match' : 'name', path === undefined ? 'matches' : 'names')}`;
  return (
    <>
      {path === undefined ? null : <Crumbs path={path} onDirectory={props.onDirectory} />}
      <p className="browser-note" role="status">
        {total === 0 ? (path === undefined ? 'No layer has such a path.' : 'Nothing of this directory is in it.') : shown}
        {total > entries.length ? `, ${entries.length} of them shown` : ''}
      </p>
      <ul className="browser-rows xray-rows">
        {entries.map((entry) => (
          <Row key={`${entry.layer} ${entry.name}`} entry={entry} {...props} />
        ))}
      </ul>
    </>
  );
}

function Row({ entry, path, inAll, chosen, onDirectory, onFile }: XrayEntriesProps & { readonly entry: XrayEntry }) {
  const whole = path === undefined ? entry.name : `${path === '/' ? '' : path}/${entry.name}`;
  const isDirectory = entry.kind === 'directory' || entry.below !== undefined;
  const isGone = entry.kind === 'whiteout' || entry.coveredBy !== undefined;
  const name = (
    <>
      <span className={`xray-glyph ${entry.mark}`} aria-hidden="true">
        {MARK_GLYPHS[entry.mark]}
      </span>
      <code>
        {visible(entry.name)}
        {isDirectory ? '/' : ''}
      </code>
    </>
  );
  const isChosen = chosen?.path === whole && chosen.layer === entry.layer;
  return (
    <li className={isGone ? 'gone' : undefined}>
      {isDirectory ? (
        <button type="button" className="browser-name" onClick={() => onDirectory(whole)}>
          {name}
        </button>
      ) : entry.kind === 'file' ? (
        <button type="button" className="browser-name" aria-pressed={isChosen} onClick={() => onFile({ layer: entry.layer, path: whole })}>
          {name}
        </button>
      ) : (
        <span className="browser-name">{name}</span>
      )}
      <span className="browser-from">{visible(entryNote(entry, inAll))}</span>
      <span className="num">{entry.kind === 'file' ? formatBytes(entry.sizeBytes) : ''}</span>
    </li>
  );
}

function Crumbs({ path, onDirectory }: { readonly path: string; readonly onDirectory: (path: string) => void }) {
  const parts = path.split('/').filter((part) => part !== '');
  const steps = [{ to: '/', label: '/' }, ...parts.map((label, index) => ({ to: `/${parts.slice(0, index + 1).join('/')}`, label }))];
  return (
    <nav className="browser-crumbs" aria-label="Directory of the image">
      {steps.map(({ to, label }) => (
        <button key={to} type="button" onClick={() => onDirectory(to)}>
          {visible(label)}
        </button>
      ))}
    </nav>
  );
}

/** The largest first. */
export function XrayWasted({ wasted, onFile }: { readonly wasted: readonly WastedFile[]; readonly onFile: (file: ChosenFile) => void }) {
  if (wasted.length === 0) return <p className="browser-note">Nothing is wasted: no layer covers or deletes a file of another.</p>;
  return (
    <ul className="browser-rows xray-rows">
      {wasted.map(({ path, layer, sizeBytes, coveredBy, deleted }) => (
        <li key={`${layer} ${path}`} className="gone">
          <button type="button" className="browser-name" onClick={() => onFile({ layer, path })}>
            <code>{visible(path)}</code>
          </button>
          <span className="browser-from">
            stored in {layerName(layer)}, {deleted ? 'deleted' : 'replaced'} in {layerName(coveredBy)}
          </span>
          <span className="num">{formatBytes(sizeBytes)}</span>
        </li>
      ))}
    </ul>
  );
}

export function XrayDifference({ diff, names }: { readonly diff: XrayDiff; readonly names: readonly [string, string] }) {
  const [one, other] = names.map(visible);
  const found = diff.added + diff.removed + diff.changed;
  return (
    <>
      <p className="browser-note" role="status">
        From {one} to {other}: {diff.added} added, {diff.removed} removed, {diff.changed} changed, {diff.same} the same;{' '}
        {diff.sharedLayers === 0 ? 'no layer is shared' : `the lowest ${formatCount(diff.sharedLayers, 'layer')} they share`}.
        {found > diff.entries.length ? ` The first ${diff.entries.length} are shown.` : ''}
      </p>
      <ul className="browser-rows xray-rows">
        {diff.entries.map((entry) => (
          <li key={entry.path}>
            <span className="browser-name">
              <span className={`xray-glyph ${entry.change}`} aria-hidden="true">
                {CHANGE_GLYPHS[entry.change]}
              </span>
              <code>{visible(entry.path)}</code>
            </span>
            <span className="browser-from">{diffNote(entry)}</span>
            <span className="num" />
          </li>
        ))}
      </ul>
    </>
  );
}
