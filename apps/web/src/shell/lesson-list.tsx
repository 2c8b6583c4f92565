/**
 * The table of contents: every lesson by track, how far each is, and the way to it.
 *
 * Knows: the session's lessons. Does not know: where it is opened from.
 */
'use client';
import { Dialog, formatCount, Icon } from '@slipway/ui';
import type { MouseEvent } from 'react';
import { formatAddress } from '../state/address.ts';
import { openLesson } from '../state/lesson-actions.ts';
import { clearView, useLessonState, useSession } from '../state/stores.ts';
import { countTasks, stageOf, type Track, tracksOf } from '../state/tracks.ts';

type Entry = Track['lessons'][number];

const close = () => clearView('dialog');

export function LessonList() {
  const lessons = useSession((state) => state.lessons);
  const { tasks, passed } = countTasks(lessons);
  return (
    <Dialog title="Lessons" onClose={close} wide>
      <p className="lesson-total num">
        {passed} of {formatCount(tasks, 'task')} done
      </p>
      {tracksOf(lessons).map((track) => (
        <section key={track.title} className="lesson-track" aria-label={track.title}>
          <header>
            <h3>{track.title}</h3>
            <span className="num">
              {track.passed} of {track.tasks}
            </span>
          </header>
          <ol className="lesson-list">
            {track.lessons.map((lesson) => (
              <li key={lesson.slug}>
                <LessonLink lesson={lesson} />
              </li>
            ))}
          </ol>
        </section>
      ))}
    </Dialog>
  );
}

const STAGE = { open: 'not begun', begun: 'begun', done: 'done' } as const;

/** A link, so that it can be opened beside, copied and sent. */
function LessonLink({ lesson }: { readonly lesson: Entry }) {
  const current = useLessonState((state) => state.slug === lesson.slug);
  const stage = stageOf(lesson);
  const onClick = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    close();
    void openLesson(lesson.slug);
  };
  return (
    <a href={formatAddress({ lesson: lesson.slug })} aria-current={current ? 'page' : undefined} onClick={onClick}>
      <span className={`lesson-tick ${stage}`} aria-hidden="true">
        {stage === 'done' ? <Icon name="check" size={14} /> : Number(lesson.number)}
      </span>
      <span className="lesson-entry">
        <strong>
          <span className="sr-only">Lesson {Number(lesson.number)}: </span>
          {lesson.title}
        </strong>
        <span>{lesson.summary}</span>
      </span>
      <span className="lesson-facts num">
        <span>{lesson.minutes} min</span>
        <span>
          {lesson.passed} of {formatCount(lesson.tasks, 'task')}
        </span>
        <span className="sr-only">, {STAGE[stage]}</span>
      </span>
    </a>
  );
}
