/**
 * The call chain as a flame: time from left to right to scale, each call below the one that made it.
 *
 * Knows: boxes from layout.ts; zooming with the keyboard, a double click or the buttons. Does not know: payloads.
 */
import type { CallChain } from '@slipway/journal';
import { type CSSProperties, type KeyboardEvent, useMemo, useState } from 'react';
import { Button } from '../base/controls.tsx';
import { formatDuration, visible } from '../base/format.ts';
import { actorKind } from '../base/kinds.ts';
import { axisTicks, flameBoxes, type TimeWindow } from './layout.ts';

const ROW = 26;

export function Flame(props: {
  readonly chain: CallChain;
  readonly selected: string | undefined;
  readonly onSelect: (span: string) => void;
}) {
  const { chain, selected } = props;
  const whole: TimeWindow = { fromMs: 0, toMs: Math.max(chain.durationMs, 0.001) };
  const [zoom, setZoom] = useState<{ readonly trace: string; readonly window: TimeWindow }>();
  const window = zoom?.trace === chain.trace ? zoom.window : whole;
  const { fromMs, toMs } = window;
  const boxes = useMemo(() => flameBoxes(chain, { fromMs, toMs }, 0.0015), [chain, fromMs, toMs]);
  const zoomTo = (span: string) => {
    const row = chain.rows.find((candidate) => candidate.span.id === span);
    if (row) setZoom({ trace: chain.trace, window: { fromMs: row.offsetMs, toMs: row.offsetMs + Math.max(row.durationMs, 0.001) } });
  };
  return (
    <div className="flame scroll">
      <div className="flame-tools">
        <span className="num">
          {formatDuration(fromMs)} – {formatDuration(toMs)}
        </span>
        <Button tone="quiet" disabled={selected === undefined} onClick={() => selected !== undefined && zoomTo(selected)}>
          Zoom to selected
        </Button>
        <Button tone="quiet" disabled={window === whole || zoom?.trace !== chain.trace} onClick={() => setZoom(undefined)}>
          Whole request
        </Button>
      </div>
      <div className="flame-axis" aria-hidden="true">
        {axisTicks(window, 6).map((tick) => (
          <span key={tick} className="num" style={{ insetInlineStart: `${((tick - fromMs) / (toMs - fromMs)) * 100}%` }}>
            {formatDuration(tick)}
          </span>
        ))}
      </div>
      <div className="flame-boxes" style={{ height: chain.depth * ROW }} role="toolbar" aria-label="Calls by time" onKeyDown={flameKeys}>
        {boxes.map(({ row, left, width }) => (
          <button
            key={row.span.id}
            type="button"
            className={`flame-box ${width > 0.03 ? '' : 'narrow'} ${selected === row.span.id ? 'selected' : ''} ${row.span.error ? 'failed' : ''} ${row.open ? 'open' : ''}`}
            style={
              {
                '--kind': actorKind(row.span.actor).color,
                top: row.depth * ROW,
                insetInlineStart: `${left * 100}%`,
                width: `${width * 100}%`,
              } as CSSProperties
            }
            tabIndex={selected === row.span.id || (selected === undefined && row.depth === 0) ? 0 : -1}
            title={`${visible(row.span.name)} · ${formatDuration(row.durationMs)}`}
            onClick={() => props.onSelect(row.span.id)}
            onDoubleClick={() => zoomTo(row.span.id)}
          >
            <span className="sr-only">{actorKind(row.span.actor).title}: </span>
            <span className={width > 0.03 ? '' : 'sr-only'}>
              <b aria-hidden="true">{actorKind(row.span.actor).letter}</b> {visible(row.span.name)}{' '}
              <i className="num">{formatDuration(row.durationMs)}</i>
              {row.span.error ? <span className="sr-only">, failed</span> : null}
            </span>
          </button>
        ))}
      </div>
    </div>
  );
}

/** Left and right go to the neighbour in time, up and down to caller and called. */
function flameKeys(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  const boxes = [...event.currentTarget.querySelectorAll<HTMLElement>('button')];
  const at = boxes.indexOf(document.activeElement as HTMLElement);
  const next = boxes[at + step];
  next?.focus();
  next?.click();
  event.preventDefault();
}
