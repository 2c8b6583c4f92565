/**
 * Pulls and pushes over time: one row a layer, arriving, verifying, unpacking.
 *
 * Knows: the model's bars and marks. Does not know: registries.
 */
import type { Transfer, TransferLayer } from '@slipway/journal';
import { type Choice, ChoiceList } from '../base/choice-list.tsx';
import { formatBytes, formatClock, formatDuration, shortenId, visible } from '../base/format.ts';
import { actorKind } from '../base/kinds.ts';
import { DataTable } from '../base/table.tsx';
import { type Axis, axisOf, type Bar, barsOf, courseOf, marksOf, originText, stateOf, totalsSentence } from './transfer-model.ts';

export interface TransferViewProps {
  readonly transfers: readonly Transfer[];
  readonly chosen: Transfer;
  readonly nowMs: number;
  /** Journal time that clocks count from. */
  readonly zeroMs: number;
  readonly filter: string;
  readonly selectedSpan: string | undefined;
  readonly onChoose: (id: string) => void;
  readonly onSelect: (span: string) => void;
}

const PHASES = [
  ['arriving', 'arriving, its digest counted on the way'],
  ['verifying', 'digest compared, synced, taken in'],
  ['unpacking', 'unpacking'],
] as const;
const SENDING = [['sending', 'sending']] as const;
const FILLING = ['filling', 'arriving while it can be read, after the pull'] as const;

function phasesOf({ kind, layers }: Transfer): readonly (readonly [phase: Bar['phase'], words: string])[] {
  if (kind === 'push') return SENDING;
  return layers.some(({ fill }) => fill !== undefined) ? [...PHASES, FILLING] : PHASES;
}

export function TransferPicture(props: TransferViewProps) {
  return (
    <div className="transfers">
      <TransferList {...props} />
      <div className="scroll transfer">
        <TransferHead {...props} />
        <Layers {...props} />
      </div>
    </div>
  );
}

function TransferList({ transfers, chosen, onChoose, zeroMs }: TransferViewProps) {
  const toChoice = (transfer: Transfer): Choice => ({
    id: transfer.id,
    name: `${transfer.kind} ${transfer.name}`,
    facts: [stateOf(transfer), formatBytes(transfer.movedBytes), `at ${formatClock(transfer.startMs - zeroMs)}`].join(' · '),
    failed: transfer.error !== undefined,
    color: actorKind(transfer.kind === 'push' ? 'registry' : 'store').color,
  });
  return <ChoiceList label="Pulls and pushes" all={transfers} toChoice={toChoice} chosen={chosen.id} onChoose={onChoose} />;
}

function TransferHead({ chosen, nowMs }: TransferViewProps) {
  const { lengthMs } = axisOf(chosen, nowMs);
  const state = stateOf(chosen);
  const origin = originText(chosen);
  return (
    <header className="transfer-head">
      <h3>
        {chosen.kind} {visible(chosen.name)}
      </h3>
      <p>
        {state === 'going on' ? 'going on for' : state === 'failed' ? 'stopped after' : 'done in'}{' '}
        <span className="num">{formatDuration(lengthMs)}</span> ·{' '}
        {origin === undefined ? (
          state === 'going on' ? (
            'no registry has answered yet'
          ) : (
            'no registry answered'
          )
        ) : (
          <>answered by {visible(origin)}</>
        )}
      </p>
      {chosen.layers.length === 0 ? null : <p>{totalsSentence(chosen)}</p>}
      {chosen.error ? <p className="transfer-error">{visible(chosen.error.message)}</p> : null}
      {chosen.layers.length === 0 ? null : (
        <ul className="transfer-key" aria-label="Phases">
          {phasesOf(chosen).map(([phase, words]) => (
            <li key={phase}>
              <i className={phase} aria-hidden="true" /> {words}
            </li>
          ))}
        </ul>
      )}
    </header>
  );
}

function Layers({ chosen, nowMs, filter, selectedSpan, onSelect }: TransferViewProps) {
  const axis = axisOf(chosen, nowMs);
  const layers = chosen.layers.filter(({ digest }) => digest.includes(filter.trim().toLowerCase()));
  if (chosen.layers.length === 0)
    return <p className="explorer-hint">{chosen.error ? 'It came to no layer.' : 'Its layers are not known yet.'}</p>;
  return (
    <>
      <ol className="transfer-layers" aria-label="Layers, lowest first">
        {layers.map((layer) => (
          <Layer key={layer.digest} layer={layer} kind={chosen.kind} axis={axis} selectedSpan={selectedSpan} onSelect={onSelect} />
        ))}
      </ol>
      {layers.length === 0 ? <p className="explorer-hint">No layer’s digest matches the filter.</p> : null}
      <p className="transfer-axis num" aria-hidden="true">
        <span>0 s</span>
        <span>{formatDuration(axis.lengthMs / 2)}</span>
        <span>{formatDuration(axis.lengthMs)}</span>
      </p>
    </>
  );
}

interface LayerProps {
  readonly layer: TransferLayer;
  readonly kind: Transfer['kind'];
  readonly axis: Axis;
  readonly selectedSpan: string | undefined;
  readonly onSelect: (span: string) => void;
}

function Layer({ layer, kind, axis, selectedSpan, onSelect }: LayerProps) {
  const { move, unpack, fill } = layer;
  const span = move?.span ?? unpack?.span ?? fill?.span;
  const selected = selectedSpan !== undefined && [move?.span, unpack?.span, fill?.span].includes(selectedSpan);
  return (
    <li>
      <button
        type="button"
        className={`transfer-layer ${selected ? 'selected' : ''}`}
        aria-pressed={selected}
        disabled={span === undefined}
        onClick={() => span !== undefined && onSelect(span)}
      >
        <span className="transfer-what">
          <code title={layer.digest}>{shortenId(visible(layer.digest), 15, 6)}</code>
          <span className="num">{formatBytes(layer.sizeBytes)}</span>
          {move?.bytesPerSecond === undefined ? null : <span className="num">{formatBytes(move.bytesPerSecond)}/s</span>}
          {move?.state === 'moving' ? <span className="num">{formatBytes(move.bytes)} so far</span> : null}
          {marksOf(layer).map(({ tone, text }) => (
            <b key={text} className={`transfer-mark ${tone}`}>
              {visible(text)}
            </b>
          ))}
        </span>
        <span className="transfer-track" aria-hidden="true">
          {barsOf(layer, kind, axis).map((bar) => (
            <TrackBar key={bar.phase} bar={bar} layer={layer} axis={axis} />
          ))}
        </span>
        <span className="sr-only">{phasesText(layer)}</span>
      </button>
    </li>
  );
}

function TrackBar({ bar, layer, axis }: { readonly bar: Bar; readonly layer: TransferLayer; readonly axis: Axis }) {
  const { phase, from, to, failed } = bar;
  const { move, sizeBytes } = layer;
  const corners = (phase === 'arriving' || phase === 'sending') && move ? courseOf(move, sizeBytes, axis) : [];
  return (
    <i
      className={`bar ${phase} ${failed ? 'failed' : ''}`}
      title={phase}
      style={{ insetInlineStart: `${from * 100}%`, width: `max(3px, ${(to - from) * 100}%)` }}
    >
      {corners.length > 0 ? (
        <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
          <polygon points={`0,100 ${corners.map(([x, y]) => `${x * 100},${100 - y * 100}`).join(' ')} 100,100`} />
        </svg>
      ) : null}
    </i>
  );
}

/** How long each phase took, in words. */
function phasesText({ move, unpack, fill }: TransferLayer): string {
  const moved = move && move.state !== 'exists' && move.state !== 'mounted' ? move : undefined;
  const movedMs = moved && (moved.arrivedMs ?? moved.endMs);
  return [
    ...(moved && movedMs !== undefined ? [`moved in ${formatDuration(movedMs - moved.startMs)}`] : []),
    ...(moved?.arrivedMs !== undefined && moved.endMs !== undefined
      ? [`verified in ${formatDuration(moved.endMs - moved.arrivedMs)}`]
      : []),
    ...(fill?.endMs === undefined ? [] : [`whole ${formatDuration(fill.endMs - fill.startMs)} after it could be read`]),
    ...(unpack?.endMs !== undefined && unpack.state === 'done' ? [`unpacked in ${formatDuration(unpack.endMs - unpack.startMs)}`] : []),
  ].join(', ');
}

function formatHeld({ move, fill }: TransferLayer): string {
  const bytes = move?.bytes ?? fill?.bytes;
  return bytes === undefined ? '—' : formatBytes(bytes);
}

export function TransferText(props: TransferViewProps) {
  const { chosen, filter, selectedSpan, onSelect } = props;
  return (
    <div className="transfers">
      <TransferList {...props} />
      <div className="transfer-text">
        <TransferHead {...props} />
        <DataTable
          caption={`Layers of ${chosen.kind} ${chosen.name}, lowest first`}
          columns={['layer', 'size', 'held', 'rate', 'marks', 'times']}
          rows={chosen.layers
            .filter(({ digest }) => digest.includes(filter.trim().toLowerCase()))
            .map((layer) => {
              const { move } = layer;
              const span = move?.span ?? layer.unpack?.span ?? layer.fill?.span;
              return {
                key: layer.digest,
                selected: span !== undefined && span === selectedSpan,
                onSelect: () => span !== undefined && onSelect(span),
                cells: [
                  shortenId(visible(layer.digest), 15, 6),
                  formatBytes(layer.sizeBytes),
                  formatHeld(layer),
                  move?.bytesPerSecond === undefined ? '—' : `${formatBytes(move.bytesPerSecond)}/s`,
                  marksOf(layer)
                    .map(({ text }) => visible(text))
                    .join(', '),
                  phasesText(layer),
                ],
              };
            })}
        />
      </div>
    </div>
  );
}
