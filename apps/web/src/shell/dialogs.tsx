/**
 * The page's dialogs: shortcut map, list of lessons, the three resets.
 *
 * Knows: which is open. Does not know: who opened it.
 */
'use client';
import { Button, Dialog, formatCount, Icon } from '@slipway/ui';
import { orToast } from '../state/lab.ts';
import { loadLesson } from '../state/lesson-actions.ts';
import { clearView, useLessonState, useSession, useView } from '../state/stores.ts';
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

function LessonList() {
  const lessons = useSession((state) => state.lessons);
  const slug = useLessonState((state) => state.slug);
  return (
    <Dialog title="Lessons" onClose={close} wide>
      <ol className="lesson-list">
        {lessons.map((lesson) => {
          const done = lesson.tasks > 0 && lesson.passed >= lesson.tasks;
          return (
            <li key={lesson.slug}>
              <button
                type="button"
                aria-current={lesson.slug === slug ? 'page' : undefined}
                onClick={() => {
                  close();
                  void loadLesson(lesson.slug);
                }}
              >
                <span className={`lesson-tick ${done ? 'done' : ''}`} aria-hidden="true">
                  {done ? <Icon name="check" size={14} /> : Number(lesson.number)}
                </span>
                <span className="lesson-entry">
                  <strong>{lesson.title}</strong>
                  <span>{lesson.summary}</span>
                </span>
                <span className="lesson-facts num">
                  {lesson.minutes} min
                  <br />
                  {lesson.passed} of {formatCount(lesson.tasks, 'task')}
                </span>
              </button>
            </li>
          );
        })}
      </ol>
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
