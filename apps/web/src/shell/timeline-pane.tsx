/**
 * The timeline's controls: pause, go back, play at a speed, return to now, save, open a saved journal.
 *
 * Knows: the feed and files. Does not know: how marks are drawn (@slipway/ui).
 */
'use client';
import { loadJournal, type TimelineMark, timelineMarks } from '@slipway/journal';
import { containerOf, formatClock, Icon, IconButton, Timeline } from '@slipway/ui';
import { useEffect, useMemo, useRef, useState } from 'react';
import { feed, orToast, publishNow } from '../state/lab.ts';
import { select, toast, useMoment, useView } from '../state/stores.ts';

const WINDOWS = [30_000, 120_000, 600_000] as const;
/** A full window moves on in steps, so that its marks are not drawn anew all the time. */
const WINDOW_STEP_MS = 1000;
const SPEEDS = [0.1, 0.25, 1, 4] as const;

export function TimelinePane() {
  const moment = useMoment();
  const selection = useView((state) => state.selection);
  const expanded = useView((state) => state.timelineOpen);
  const [span, setSpan] = useState<number>(WINDOWS[1]);
  const { fromMs, toMs } = useTimeWindow(span);
  const marks = useMarks(fromMs, toMs);
  const container = useMemo(() => containerOf(moment.world, selection), [moment.world, selection]);
  const { mode, atMs, startMs, endMs, speed } = moment;
  const act = (change: () => void) => {
    change();
    publishNow();
  };
  const seek = (ms: number) => act(() => feed.seek(ms));
  return (
    <section className={`timeline ${expanded ? 'expanded' : ''} ${mode}`} aria-label="Timeline">
      <div className="transport">
        {mode === 'paused' ? (
          <IconButton icon="play" label="Play" keys="Space" onClick={() => act(() => feed.play())} />
        ) : (
          <IconButton icon="pause" label="Pause" keys="Space" onClick={() => act(() => feed.pause())} />
        )}
        <button
          type="button"
          className={`go-live ${mode === 'live' ? 'on' : ''}`}
          disabled={mode === 'live'}
          onClick={() => act(() => feed.goLive())}
        >
          {moment.file === undefined ? (mode === 'live' ? 'now' : 'back to now') : 'to its end'}
        </button>
        <span className="clock num">{formatClock(Math.max(0, atMs - startMs))}</span>
      </div>
      <Timeline
        marks={marks}
        {...{ fromMs, toMs, startMs, endMs, atMs, expanded, container }}
        live={mode === 'live'}
        onSeek={seek}
        onMark={openMark}
      />
      <div className="timeline-tools">
        <label>
          <span className="sr-only">Speed</span>
          <select value={speed} title="Speed of playing" onChange={(event) => act(() => feed.setSpeed(Number(event.target.value)))}>
            {SPEEDS.map((factor) => (
              <option key={factor} value={factor}>
                {factor}×
              </option>
            ))}
          </select>
        </label>
        <label>
          <span className="sr-only">Stretch of time shown</span>
          <select value={span} title="Stretch of time shown" onChange={(event) => setSpan(Number(event.target.value))}>
            <option value={WINDOWS[0]}>30 s</option>
            <option value={WINDOWS[1]}>2 min</option>
            <option value={WINDOWS[2]}>10 min</option>
            <option value={Number.POSITIVE_INFINITY}>all</option>
          </select>
        </label>
        <FileTools file={moment.file} />
        <IconButton
          icon="chevron"
          label={expanded ? 'Thin timeline' : 'Tall timeline'}
          pressed={expanded}
          className="expand"
          onClick={() => useView.setState({ timelineOpen: !expanded })}
        />
      </div>
    </section>
  );
}

/** The stretch of time shown: it ends at now while live, and holds still around the play head else. */
function useTimeWindow(span: number): { readonly fromMs: number; readonly toMs: number } {
  const { mode, atMs, startMs, endMs } = useMoment();
  const held = useRef({ fromMs: 0, toMs: 0, span });
  const latest = Math.max(endMs, mode === 'live' ? atMs : endMs);
  const length = Number.isFinite(span) ? span : Math.max(latest - startMs, 10_000);
  if (mode === 'live' || held.current.span !== span || held.current.toMs === 0) {
    // A young journal fills its stretch from the left: marks stay where they are until it is full.
    const toMs = Math.max(Math.ceil(latest / WINDOW_STEP_MS) * WINDOW_STEP_MS, startMs + length);
    held.current = { fromMs: toMs - length, toMs, span };
  } else if (atMs < held.current.fromMs || atMs > held.current.toMs) {
    const fromMs = Math.max(startMs, atMs - length / 2);
    held.current = { fromMs, toMs: fromMs + length, span };
  }
  return held.current;
}

/** Marks are found twice a second at most: a timeline needs no more. */
function useMarks(fromMs: number, toMs: number): readonly TimelineMark[] {
  const length = useMoment((state) => state.length);
  const file = useMoment((state) => state.file);
  const [shown, setShown] = useState<readonly TimelineMark[]>([]);
  const step = Math.round(fromMs / 500);
  const end = Math.round(toMs / 500);
  // biome-ignore lint/correctness/useExhaustiveDependencies: length and file say that the events changed
  useEffect(() => {
    const timer = setTimeout(() => setShown(timelineMarks(feed.events, { fromMs: step * 500, toMs: end * 500 + 500, perLane: 150 })), 120);
    return () => clearTimeout(timer);
  }, [length, file, step, end]);
  return shown;
}

/** Goes to the moment and shows what happened there. */
function openMark(mark: TimelineMark): void {
  feed.seek(mark.endMs ?? mark.atMs);
  publishNow();
  if (mark.trace !== undefined) useView.setState({ panel: 'calls' });
  if (mark.container !== undefined) select({ kind: 'container', id: mark.container });
}

function FileTools({ file }: { readonly file: string | undefined }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <a className="icon-button" href="/api/journal" download="slipway-journal.ndjson" aria-label="Save journal" title="Save journal">
        <Icon name="save" />
      </a>
      {file === undefined ? (
        <IconButton icon="open" label="Open a saved journal" onClick={() => input.current?.click()} />
      ) : (
        <button type="button" className="chip" onClick={() => closeFile()} title="Close this recording and return to your machine">
          <span className="sr-only">Close recording </span>
          {file} <span aria-hidden="true">×</span>
        </button>
      )}
      <input
        ref={input}
        type="file"
        accept=".ndjson,.jsonl,application/x-ndjson"
        hidden
        aria-label="Journal file"
        onChange={(event) => {
          const chosen = event.target.files?.[0];
          event.target.value = '';
          if (chosen) void orToast(openFile(chosen));
        }}
      />
    </>
  );
}

async function openFile(file: File): Promise<void> {
  const { events, dropped, truncated } = await loadJournal(chunksOf(file));
  if (events.length === 0) throw new Error(`"${file.name}" holds no journal`);
  feed.openFile(file.name, events);
  publishNow();
  if (dropped > 0 || truncated)
    toast(`${dropped} lines of the file could not be used${truncated ? ', and its end is left out' : ''}`, 'bad');
}

async function* chunksOf(file: File): AsyncGenerator<Uint8Array> {
  const reader = file.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

function closeFile(): void {
  feed.closeFile();
  publishNow();
}
