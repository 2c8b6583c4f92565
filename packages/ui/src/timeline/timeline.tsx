/**
 * The strip at the foot of the page: what happened when, and where in time the pictures stand.
 *
 * Knows: marks and lanes (journal's timelineMarks), a time window, the play head as a slider. Does not know: events.
 */
import type { TimelineLane, TimelineMark } from '@slipway/journal';
import { type CSSProperties, memo, type PointerEvent, useMemo, useRef } from 'react';
import { formatClock, visible } from '../base/format.ts';
import { useWidth } from '../base/use-width.ts';
import { clockTicks } from './ticks.ts';

export interface TimelineProps {
  readonly marks: readonly TimelineMark[];
  readonly fromMs: number;
  readonly toMs: number;
  /** Begin and end of everything, for the slider and for clock texts. */
  readonly startMs: number;
  readonly endMs: number;
  readonly atMs: number;
  readonly live: boolean;
  /** All lanes with names; else one thin strip. */
  readonly expanded: boolean;
  readonly container: string | undefined;
  readonly onSeek: (atMs: number) => void;
  readonly onMark: (mark: TimelineMark) => void;
}

const LANES: ReadonlyArray<readonly [TimelineLane, string, string]> = [
  ['commands', 'commands', 'var(--ink-soft)'],
  ['calls', 'requests', 'var(--actor-api)'],
  ['containers', 'containers', 'var(--actor-engine)'],
  ['kernel', 'kernel', 'var(--actor-kernel)'],
  ['checks', 'checks', 'var(--good)'],
  ['notices', 'notices', 'var(--warn)'],
];

export function Timeline(props: TimelineProps) {
  const { fromMs, toMs, startMs, endMs, atMs, expanded } = props;
  const track = useRef<HTMLDivElement>(null);
  const length = Math.max(toMs - fromMs, 1);
  const place = (ms: number) => `${((ms - fromMs) / length) * 100}%`;
  const width = useWidth(track);
  const ticks = useMemo(() => clockTicks({ fromMs: fromMs - startMs, toMs: toMs - startMs }, width), [fromMs, toMs, startMs, width]);
  const seekTo = (event: PointerEvent) => {
    const box = track.current?.getBoundingClientRect();
    if (!box || box.width === 0) return;
    props.onSeek(Math.min(fromMs + ((event.clientX - box.left) / box.width) * length, endMs));
  };
  return (
    <div className={`timeline-track ${expanded ? 'expanded' : ''}`}>
      {expanded ? (
        <ul className="lane-names" aria-hidden="true">
          {LANES.map(([lane, title, color]) => (
            <li key={lane} style={{ '--kind': color } as CSSProperties}>
              {title}
            </li>
          ))}
        </ul>
      ) : null}
      <div
        ref={track}
        className="track"
        role="slider"
        tabIndex={0}
        aria-label="Moment shown"
        aria-valuemin={0}
        aria-valuemax={Math.max(0, Math.round(endMs - startMs))}
        aria-valuenow={Math.max(0, Math.round(Math.min(atMs, endMs) - startMs))}
        aria-valuetext={props.live ? 'live' : `${formatClock(atMs - startMs)} of ${formatClock(endMs - startMs)}`}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          seekTo(event);
        }}
        onPointerMove={(event) => event.buttons === 1 && event.currentTarget.hasPointerCapture(event.pointerId) && seekTo(event)}
        onKeyDown={(event) => {
          const step = event.shiftKey ? 5000 : 500;
          const next = {
            ArrowLeft: atMs - step,
            ArrowRight: atMs + step,
            Home: startMs,
            End: endMs,
            PageUp: atMs - 10_000,
            PageDown: atMs + 10_000,
          }[event.key];
          if (next === undefined) return;
          event.preventDefault();
          props.onSeek(next);
        }}
      >
        {ticks.map((tick) => (
          <span key={tick} className="tick num" style={{ insetInlineStart: place(startMs + tick) }} aria-hidden="true">
            {formatClock(tick)}
          </span>
        ))}
        {LANES.map(([lane, , color], index) => (
          <Lane
            key={lane}
            lane={lane}
            color={color}
            index={index}
            marks={props.marks}
            fromMs={fromMs}
            toMs={toMs}
            startMs={startMs}
            container={props.container}
            onMark={props.onMark}
          />
        ))}
        <span className="head" style={{ insetInlineStart: place(Math.min(atMs, toMs)) }} aria-hidden="true" />
      </div>
    </div>
  );
}

interface LaneProps extends Pick<TimelineProps, 'marks' | 'fromMs' | 'toMs' | 'startMs' | 'container' | 'onMark'> {
  readonly lane: TimelineLane;
  readonly color: string;
  readonly index: number;
}

/** Drawn anew when its marks or the window change, not when the play head moves. */
const Lane = memo(function Lane({ lane, color, index, marks, ...rest }: LaneProps) {
  return (
    <div className="lane" style={{ '--kind': color, '--lane': index } as CSSProperties}>
      {marks
        .filter((mark) => mark.lane === lane)
        .map((mark) => (
          <MarkView key={mark.seq} mark={mark} {...rest} />
        ))}
    </div>
  );
});

type MarkProps = Omit<LaneProps, 'lane' | 'color' | 'index' | 'marks'> & { readonly mark: TimelineMark };

function MarkView({ mark, fromMs, toMs, startMs, container, onMark }: MarkProps) {
  const length = Math.max(toMs - fromMs, 1);
  const related = container !== undefined && mark.container === container;
  const width = mark.endMs === undefined ? undefined : ((mark.endMs - mark.atMs) / length) * 100;
  const more = mark.count > 1 ? ` and ${mark.count - 1} more` : '';
  return (
    <i
      className={`tl-mark ${mark.lane} ${mark.alarming ? 'alarming' : ''} ${related ? 'related' : ''} ${width === undefined ? 'moment' : 'span'}`}
      style={{
        insetInlineStart: `${((mark.atMs - fromMs) / length) * 100}%`,
        ...(width === undefined ? {} : { width: `max(3px, ${width}%)` }),
      }}
      title={`${visible(mark.label)}${more} · ${formatClock(mark.atMs - startMs)}`}
      onPointerDown={(event) => {
        event.stopPropagation();
        onMark(mark);
      }}
    />
  );
}
