/**
 * One limit as a handle on a track, over what is in use: to be dragged, or moved by keys.
 *
 * Knows: a Dial and the value under the hand. Does not know: what happens when it is let go.
 */
import { type CSSProperties, type KeyboardEvent, type PointerEvent, useRef } from 'react';
import { type Dial, limitText, placeOf, stepFrom, stopAt } from './cockpit-model.ts';
import type { Gauge } from './model.ts';

export interface LimitDialProps {
  readonly dial: Dial;
  readonly gauge: Gauge;
  /** The limit under the learner's hand, not set yet; absent: none is being chosen. `undefined` in it: no limit. */
  readonly wanted: { readonly limit: number | undefined } | undefined;
  readonly onMove: (limit: number | undefined) => void;
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowRight: 1,
  ArrowUp: 1,
  ArrowLeft: -1,
  ArrowDown: -1,
  PageUp: 3,
  PageDown: -3,
  Home: -1000,
  End: 1000,
};

export function LimitDial({ dial, gauge, wanted, onMove }: LimitDialProps) {
  const track = useRef<HTMLDivElement>(null);
  const limit = wanted ? wanted.limit : dial.limit;
  const settable = dial.file !== undefined;
  const moveTo = (event: PointerEvent) => {
    const box = track.current?.getBoundingClientRect();
    if (box && box.width > 0) onMove(stopAt(dial, (event.clientX - box.left) / box.width));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps = STEPS[event.key];
    if (steps === undefined) return;
    event.preventDefault();
    onMove(stepFrom(dial, limit, steps));
  };
  const text = limitText(dial.name, limit);
  const share = dial.value !== undefined && dial.limit ? dial.value / dial.limit : 0;
  const style = {
    '--used': placeOf(dial, dial.value ?? 0),
    '--limit': placeOf(dial, limit),
    '--set': placeOf(dial, dial.limit),
  } as CSSProperties;
  return (
    <div className={`dial ${dial.name} ${share > 0.9 ? 'full' : ''} ${wanted ? 'moved' : ''}`} style={style}>
      <p className="dial-text">
        <span className="gauge-title">{gauge.title}</span> <span className="gauge-value num">{gauge.text}</span>
        <span className="gauge-limit num">{limit === undefined ? text : `limit ${text}`}</span>
      </p>
      <div
        ref={track}
        className="dial-track"
        onPointerDown={(event) => {
          if (!settable || event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          moveTo(event);
        }}
        onPointerMove={(event) => event.buttons === 1 && event.currentTarget.hasPointerCapture(event.pointerId) && moveTo(event)}
      >
        <span className="dial-used" aria-hidden="true" />
        {wanted ? <span className="dial-set" aria-hidden="true" /> : null}
        {settable ? (
          <div
            className="dial-handle"
            role="slider"
            tabIndex={0}
            aria-label={`Limit of ${gauge.title}`}
            aria-valuemin={0}
            aria-valuemax={dial.stops.length + 1}
            aria-valuenow={Math.round(placeOf(dial, limit) * (dial.stops.length + 1))}
            aria-valuetext={`${text}; ${gauge.text} in use`}
            onKeyDown={onKeyDown}
          />
        ) : null}
      </div>
      <p className="dial-note">{settable ? gauge.atLimit : 'set from outside, not from here'}</p>
    </div>
  );
}
