/**
 * On a phone: the lesson, and explorers and terminal as sheets over it.
 *
 * Knows: the arrangement; commands of the lesson and of pictures are typed by tapping them. Does not know: what panes show.
 */
'use client';
import { Icon, IconButton } from '@slipway/ui';
import { type ReactNode, useEffect, useRef } from 'react';
import { Explorers } from '../explorers/explorers.tsx';
import { LessonPane } from '../lesson/lesson-pane.tsx';
import { typeText } from '../state/lab.ts';
import { clearView, type Sheet, useView } from '../state/stores.ts';
import { TerminalPane } from '../terminal/terminal-pane.tsx';
import { PhoneCommands } from './phone-commands.tsx';
import { TimelinePane } from './timeline-pane.tsx';

export function PhoneLayout() {
  const sheet = useView((state) => state.sheet);
  return (
    <main className="phone" data-sheet={sheet ?? 'none'}>
      <section className="pane pane-lesson" aria-label="Lesson" data-pane="lesson" inert={sheet !== undefined}>
        <LessonPane />
      </section>
      <SheetBox name="explorers" title="Explorers" open={sheet === 'explorers'}>
        <Explorers by="menu" />
        <TimelinePane />
      </SheetBox>
      <SheetBox name="terminal" title="Terminal" open={sheet === 'terminal'}>
        <TerminalPane />
        <KeyRow />
        <PhoneCommands />
      </SheetBox>
      <nav className="phone-bar" aria-label="Panes">
        <BarButton active={sheet === undefined} onClick={() => clearView('sheet')}>
          <Icon name="book" /> Lesson
        </BarButton>
        <BarButton active={sheet === 'explorers'} onClick={() => useView.setState({ sheet: 'explorers' })}>
          <Icon name="picture" /> Picture
        </BarButton>
        <BarButton active={sheet === 'terminal'} onClick={() => useView.setState({ sheet: 'terminal' })}>
          <Icon name="terminal" /> Terminal
        </BarButton>
      </nav>
    </main>
  );
}

function BarButton(props: { readonly active: boolean; readonly onClick: () => void; readonly children: ReactNode }) {
  return (
    <button type="button" aria-pressed={props.active} className={props.active ? 'active' : ''} onClick={props.onClick}>
      {props.children}
    </button>
  );
}

/** Stays mounted while closed: the terminal goes on, and opens without a wait. */
function SheetBox(props: { readonly name: Sheet; readonly title: string; readonly open: boolean; readonly children: ReactNode }) {
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    if (props.open) box.current?.focus({ preventScroll: true });
  }, [props.open]);
  return (
    <section
      ref={box}
      className={`sheet ${props.open ? 'open' : ''}`}
      aria-label={props.title}
      inert={!props.open}
      tabIndex={-1}
      data-pane={props.name}
    >
      <IconButton icon="cross" label={`Close ${props.title.toLowerCase()}`} className="sheet-close" onClick={() => clearView('sheet')} />
      <h1 className="sr-only">{props.title}</h1>
      {props.children}
    </section>
  );
}

const KEYS = [
  ['Ctrl-C', '\u0003'],
  ['Tab', '\t'],
  ['↑', '\u001b[A'],
  ['↓', '\u001b[B'],
  ['Ctrl-D', '\u0004'],
  ['Enter', '\r'],
] as const;

/** Keys a phone's keyboard lacks. */
function KeyRow() {
  return (
    <div className="key-row" role="toolbar" aria-label="Terminal keys">
      {KEYS.map(([name, bytes]) => (
        <button key={name} type="button" onClick={() => typeText(bytes)}>
          {name}
        </button>
      ))}
    </div>
  );
}
