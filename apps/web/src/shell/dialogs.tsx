/**
 * The page's dialogs: shortcut map, list of lessons, the three resets.
 *
 * Knows: which is open. Does not know: who opened it.
 */
'use client';
import { Button, Dialog } from '@slipway/ui';
import { orToast } from '../state/lab.ts';
import { clearView, useView } from '../state/stores.ts';
import { LessonList } from './lesson-list.tsx';
import { renewTerminal, resetMachine, startLessonOver } from './resets.ts';
import { SHORTCUTS } from './shortcuts.ts';

const close = () => clearView('dialog');

export function Dialogs() {
  const dialog = useView((state) => state.dialog);
  if (dialog === 'shortcuts') return <ShortcutMap />;
  if (dialog === 'lessons') return <LessonList />;
  if (dialog === 'resets') return <Resets />;
  return null;
}

function ShortcutMap() {
  return (
    <Dialog title="Keyboard shortcuts" onClose={close}>
      <dl className="shortcut-map">
        {SHORTCUTS.filter((shortcut) => shortcut.does !== '').map((shortcut) => (
          <div key={shortcut.keys}>
            <dt>
              <kbd>{shortcut.keys}</kbd>
            </dt>
            <dd>{shortcut.does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

type Reset = 'step' | 'machine' | 'terminal';

interface ResetEntry {
  readonly title: string;
  readonly what: string;
  readonly action: string;
  readonly danger: boolean;
  readonly perform: () => Promise<void>;
}

const RESETS: Readonly<Record<Reset, ResetEntry>> = {
  step: {
    title: 'This lesson',
    what: 'Its ticks, hints and answers are forgotten. Your machine and everything in it stays.',
    action: 'Start the lesson over',
    danger: false,
    perform: startLessonOver,
  },
  terminal: {
    title: 'The terminal',
    what: 'The shell in front is ended and a fresh one opened. Containers go on.',
    action: 'New shell',
    danger: false,
    perform: renewTerminal,
  },
  machine: {
    title: 'The machine',
    what: 'Every container, file and process in it is gone; you get a new one, and all terminals start anew. Ticks stay.',
    action: 'New machine',
    danger: true,
    perform: resetMachine,
  },
};

function Resets() {
  return (
    <Dialog title="Reset" onClose={close}>
      <ul className="resets">
        {(['step', 'terminal', 'machine'] as const).map((name) => (
          <li key={name}>
            <div>
              <strong>{RESETS[name].title}</strong>
              <p>{RESETS[name].what}</p>
            </div>
            <Button
              tone={RESETS[name].danger ? 'danger' : 'plain'}
              onClick={() => {
                close();
                void orToast(RESETS[name].perform());
              }}
            >
              {RESETS[name].action}
            </Button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
