/**
 * The lesson's pane: its text, its tasks ticking themselves, and the way to the next one.
 *
 * Knows: the lesson store and what its elements may do. Does not know: how elements are drawn (@slipway/ui).
 */
'use client';
import { Button, formatCount, Icon, LessonContext, type LessonScene, LessonText, Skeleton, type TaskState } from '@slipway/ui';
import { useEffect, useMemo, useRef } from 'react';
import { runCommand } from '../state/lab.ts';
import { answerQuiz, askHint, askSolution, loadLesson, openLesson } from '../state/lesson-actions.ts';
import { useLessonState, useSession, useTerminals, useView } from '../state/stores.ts';

export function LessonPane() {
  const state = useLessonState();
  const canRun = useTerminals((terminals) => {
    const active = terminals.terminals.find((terminal) => terminal.id === terminals.active);
    // Known to the page is not enough: it has to be drawn and open once, so that a line has somewhere to go.
    return active !== undefined && active.role !== 'viewer' && terminals.status.has(active.id);
  });
  const scene = useMemo((): LessonScene | undefined => {
    if (!state.document) return undefined;
    return {
      document: state.document,
      tasks: taskStates(state),
      quiz: state.quiz,
      canRun,
      run: runCommand,
      openPanel: (panel) => useView.setState(matchMedia('(max-width: 760px)').matches ? { panel, sheet: 'explorers' } : { panel }),
      askHint: (task, grade) => askHint(task, grade),
      askSolution,
      answer: answerQuiz,
    };
  }, [state, canRun]);

  if (state.problem !== undefined && state.slug !== undefined) return <Broken slug={state.slug} problem={state.problem} />;
  if (!scene) return <Skeleton rows={12} label="Loading the lesson" />;
  const { meta } = scene.document;
  return (
    <LessonContext value={scene}>
      <article className="lesson" aria-label={`Lesson ${meta.number}: ${meta.title}`}>
        <header className="lesson-head">
          <p className="lesson-number">
            Lesson {Number(meta.number)} <span>· {meta.minutes} minutes</span>
          </p>
          <Title slug={meta.slug} title={meta.title} />
          <p className="lesson-summary">{meta.summary}</p>
          <TaskMeter scene={scene} />
        </header>
        <LessonText nodes={scene.document.body} />
        <Next scene={scene} />
      </article>
    </LessonContext>
  );
}

/** A lesson that takes another's place is read from its top, and its name said; the first one leaves the focus alone. */
function Title({ slug, title }: { readonly slug: string; readonly title: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef(slug);
  useEffect(() => {
    if (shown.current === slug) return;
    shown.current = slug;
    heading.current?.focus({ preventScroll: true });
    heading.current?.closest('.lesson')?.scrollIntoView({ block: 'start' });
  }, [slug]);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {title}
    </h1>
  );
}

function taskStates(state: ReturnType<typeof useLessonState.getState>): ReadonlyMap<string, TaskState> {
  const tasks = state.document?.tasks ?? [];
  return new Map(
    tasks.map(({ id }) => {
      const progress = state.progress.get(id);
      const solution = state.solutions.get(id);
      return [
        id,
        {
          status: progress?.status ?? 'open',
          ...(progress?.saw === undefined ? {} : { saw: progress.saw }),
          hints: state.hints.get(id) ?? [],
          hintsShown: progress?.hintsShown ?? 0,
          ...(solution === undefined ? {} : { solution }),
        },
      ];
    }),
  );
}

/** One segment a task; each leads to it. */
function TaskMeter({ scene }: { readonly scene: LessonScene }) {
  const tasks = scene.document.tasks;
  const passed = tasks.filter((task) => scene.tasks.get(task.id)?.status === 'passed').length;
  if (tasks.length === 0) return null;
  return (
    <nav className="task-meter" aria-label={`Tasks: ${passed} of ${tasks.length} done`}>
      {tasks.map((task, index) => (
        <button
          key={task.id}
          type="button"
          className={scene.tasks.get(task.id)?.status ?? 'open'}
          title={task.title}
          aria-label={`Go to task ${index + 1}: ${task.title}`}
          onClick={() => document.getElementById(`task-${task.id}`)?.scrollIntoView({ block: 'center', behavior: 'smooth' })}
        />
      ))}
      <span className="num" aria-hidden="true">
        {passed} of {tasks.length}
      </span>
    </nav>
  );
}

function Next({ scene }: { readonly scene: LessonScene }) {
  const lessons = useSession((session) => session.lessons);
  const { meta, tasks } = scene.document;
  const index = lessons.findIndex((lesson) => lesson.slug === meta.slug);
  const next = index < 0 ? undefined : lessons[index + 1];
  const open = tasks.filter((task) => scene.tasks.get(task.id)?.status !== 'passed').length;
  return (
    <footer className="lesson-foot">
      <p>{open === 0 ? 'Every task is done.' : `${formatCount(open, 'task')} still open; they can wait.`}</p>
      {next ? (
        <Button tone="act" onClick={() => void openLesson(next.slug)}>
          Next: {next.title}
        </Button>
      ) : (
        <p>This is the last lesson so far.</p>
      )}
      <Button tone="quiet" onClick={() => useView.setState({ dialog: 'lessons' })}>
        <Icon name="book" /> All lessons
      </Button>
    </footer>
  );
}

function Broken({ slug, problem }: { readonly slug: string; readonly problem: string }) {
  return (
    <div className="broken" role="alert">
      <h2>The lesson did not load</h2>
      <p>What came back: {problem}. The terminal and the pictures work on.</p>
      <Button tone="act" onClick={() => void loadLesson(slug)}>
        Try again
      </Button>
      <Button tone="quiet" onClick={() => useView.setState({ dialog: 'lessons' })}>
        All lessons
      </Button>
    </div>
  );
}
