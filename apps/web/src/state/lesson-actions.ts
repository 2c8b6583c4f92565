/**
 * Loading a lesson and what a learner can ask for in it.
 *
 * Knows: the Api's lesson calls and the lesson store. Does not know: how a lesson is drawn.
 */
import type { TaskProgress } from '@slipway/contracts';
import { api } from './api.ts';
import { setLessonOnPage } from './lesson-on-page.ts';
import { clearView, EMPTY_LESSON, toast, useLessonState, useSession, useView } from './stores.ts';

/** Shows the lesson; the one on the page stays until the new one is here. */
export async function loadLesson(slug: string): Promise<void> {
  setLessonOnPage(slug);
  const same = useLessonState.getState().slug === slug;
  try {
    const view = await api.lesson(slug);
    useLessonState.setState({
      ...(same ? {} : EMPTY_LESSON),
      slug,
      document: view.document,
      progress: new Map(view.progress.map((entry) => [entry.task, entry])),
      quiz: new Map(view.quizAnswered.map(({ question, option, correct, explanation }) => [question, { option, correct, explanation }])),
    });
    await recallHints(slug, view.progress);
  } catch (error) {
    useLessonState.setState({ ...EMPTY_LESSON, slug, problem: error instanceof Error ? error.message : String(error) }, true);
  }
}

/** Goes to a lesson: its text, uncovered, and the picture it begins with. */
export async function openLesson(slug: string): Promise<void> {
  await loadLesson(slug);
  const { document } = useLessonState.getState();
  if (document?.meta.slug !== slug) return;
  clearView('sheet');
  const [panel] = document.meta.panels;
  if (panel !== undefined) useView.setState({ panel });
}

/** Hints that were shown in an earlier visit are shown again. */
async function recallHints(slug: string, progress: readonly TaskProgress[]): Promise<void> {
  for (const { task, hintsShown } of progress) {
    const known = useLessonState.getState().hints.get(task)?.length ?? 0;
    for (let grade = known + 1; grade <= hintsShown; grade += 1) await askHint(task, grade, slug);
  }
}

/** The continuous checks spoke. A task that has just passed is said aloud for screen readers, and quietly shown. */
export function takeProgress(lesson: string, tasks: readonly TaskProgress[]): void {
  const state = useLessonState.getState();
  countPassed(lesson, tasks);
  if (state.slug !== lesson) return;
  for (const task of tasks) {
    const before = state.progress.get(task.task)?.status;
    const title = state.document?.tasks.find((entry) => entry.id === task.task)?.title;
    if (task.status === 'passed' && before !== undefined && before !== 'passed' && title !== undefined) toast(`Done: ${title}`);
  }
  useLessonState.setState({ progress: new Map(tasks.map((entry) => [entry.task, entry])) });
}

function countPassed(lesson: string, tasks: readonly TaskProgress[]): void {
  const passed = tasks.filter((task) => task.status === 'passed').length;
  useSession.setState(({ lessons }) => ({ lessons: lessons.map((entry) => (entry.slug === lesson ? { ...entry, passed } : entry)) }));
}

export async function askHint(task: string, grade: number, slug = useLessonState.getState().slug): Promise<void> {
  if (slug === undefined) return;
  const { text } = await api.hint(slug, { task, grade });
  useLessonState.setState((state) => {
    if (state.slug !== slug) return state;
    const hints = [...(state.hints.get(task) ?? [])];
    hints[grade - 1] = text;
    return { hints: new Map(state.hints).set(task, hints) };
  });
}

export async function askSolution(task: string): Promise<void> {
  const { slug } = useLessonState.getState();
  if (slug === undefined) return;
  const { lines } = await api.solution(slug, task);
  useLessonState.setState(({ solutions }) => ({ solutions: new Map(solutions).set(task, lines) }));
}

export async function answerQuiz(question: string, option: number): Promise<void> {
  const { slug } = useLessonState.getState();
  if (slug === undefined) return;
  const { correct, explanation } = await api.quiz(slug, question, option);
  useLessonState.setState(({ quiz }) => ({ quiz: new Map(quiz).set(question, { option, correct, explanation }) }));
}

/** Forgets this lesson's ticks, hints and answers; the machine stays as it is. */
export async function resetLesson(): Promise<void> {
  const { slug } = useLessonState.getState();
  if (slug === undefined) return;
  await api.resetLesson(slug);
  useLessonState.setState({ hints: new Map(), solutions: new Map(), quiz: new Map() });
  await loadLesson(slug);
}
