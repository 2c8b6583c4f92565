/**
 * One learner's way through the lessons: what is open, what is passed, where work began.
 *
 * Knows: progress and its rows, and feeding the checker from the machine's journal.
 * Does not know: HTTP, how checks look.
 */
import type { LessonSummary, LessonView, QuizVerdict, TaskProgress } from '@slipway/contracts';
import { EngineError } from '@slipway/errors';
import { monotonicMs } from '@slipway/kernel';
import type { Lesson, LessonDocument, TaskState } from '@slipway/lessons';
import { notFound } from '../failures.ts';
import type { LessonLibrary } from '../lessons/library.ts';
import type { LabMachines, Log } from '../ports.ts';
import type { Store, Visit } from '../store.ts';
import { Checker } from './checker.ts';
import type { LabJournal } from './journal.ts';
import type { LearnerLab } from './learner-lab.ts';

export interface LearnerLessonsOptions {
  readonly learner: string;
  readonly lab: LearnerLab;
  readonly library: LessonLibrary;
  readonly store: Store;
  readonly machines: Pick<LabMachines, 'run'>;
  readonly log: Log;
}

export class LearnerLessons {
  readonly #options: LearnerLessonsOptions;
  /** Pages that show a lesson. */
  readonly #shown = new Map<string, number>();
  #checker: Checker;
  readonly #stopFollowing: () => void;
  #unsubscribe: () => void = () => undefined;
  /** Of the lesson shown last. */
  #prepared: Promise<boolean> = Promise.resolve(true);
  /** Preparations under way, by journal and lesson. */
  readonly #preparing = new Map<string, Promise<boolean>>();
  #closed = false;

  constructor(options: LearnerLessonsOptions) {
    this.#options = options;
    this.#checker = this.#newChecker();
    this.#stopFollowing = options.lab.onJournal((journal) => this.#follow(journal));
  }

  list(): readonly LessonSummary[] {
    const { library, store, learner } = this.#options;
    return library.all().map(({ document: { meta, tasks } }) => ({
      number: meta.number,
      slug: meta.slug,
      title: meta.title,
      summary: meta.summary,
      track: meta.track,
      minutes: meta.minutes,
      tasks: tasks.length,
      passed: Math.min(tasks.length, store.passedCount(learner, meta.slug)),
    }));
  }

  view(slug: string): LessonView<LessonDocument> {
    const { document, lab } = this.#require(slug);
    const answered = [...this.#options.store.quizAnswers(this.#options.learner, slug)].flatMap(([question, option]) => {
      const known = lab.quiz.find(({ id }) => id === question);
      return known === undefined ? [] : [{ question, option, correct: known.answer === option, explanation: known.explanation }];
    });
    return { document, progress: this.progress(slug), quizAnswered: answered };
  }

  /** Resolves when the lab's own preparation of the lesson shown last is done: whether it went well. */
  prepared(): Promise<boolean> {
    return this.#prepared;
  }

  has(slug: string): boolean {
    return this.#options.library.find(slug) !== undefined;
  }

  progress(slug: string): readonly TaskProgress[] {
    const { store, learner } = this.#options;
    const rows = new Map(store.tasks(learner, slug).map((row) => [row.task, row]));
    return this.#require(slug).lab.tasks.map(({ id }) => {
      const row = rows.get(id);
      const progress: TaskProgress = { task: id, status: row?.status ?? 'open', hintsShown: row?.hints ?? 0 };
      return row?.saw === undefined ? progress : { ...progress, saw: row.saw };
    });
  }

  /** @throws EngineError `failed-precondition` / `E_HINT_ORDER`: grades are shown one after another */
  hint(slug: string, task: string, grade: number): string {
    const { store, learner } = this.#options;
    const { hints } = this.#requireTask(slug, task);
    const shown = store.tasks(learner, slug).find((row) => row.task === task)?.hints ?? 0;
    const text = hints[grade - 1];
    if (text === undefined) throw notFound('hint', String(grade));
    if (grade > shown + 1) {
      throw new EngineError('failed-precondition', `hint ${grade} comes after hint ${shown + 1}`, {
        code: 'E_HINT_ORDER',
        op: 'lesson.hint',
      });
    }
    store.showHint(learner, slug, { task, grade });
    this.#tellProgress(slug);
    return text;
  }

  solution(slug: string, task: string): readonly string[] {
    return this.#requireTask(slug, task).solution;
  }

  answer(slug: string, question: string, option: number): QuizVerdict {
    const { store, learner } = this.#options;
    const known = this.#require(slug).lab.quiz.find(({ id }) => id === question);
    if (known === undefined || known.options[option] === undefined) throw notFound('answer', `${question}/${option}`);
    store.answerQuiz(learner, slug, { question, option });
    return { correct: known.answer === option, explanation: known.explanation };
  }

  /** Forgets this lesson's progress; what was done before now no longer counts. */
  reset(slug: string): LessonView<LessonDocument> {
    const { store, learner, lab } = this.#options;
    this.#require(slug);
    const { prepared } = this.#visit(slug);
    store.forgetLesson(learner, slug);
    store.setVisit(learner, slug, { journal: lab.journal.id, afterSeq: lab.journal.lastSeq, prepared });
    if (this.#shown.has(slug)) this.#open(slug);
    this.#tellProgress(slug);
    return this.view(slug);
  }

  /** A page shows this lesson: its checks are looked after until the page lets go. Unknown lessons are passed over. */
  show(slug: string): () => void {
    if (this.#options.library.find(slug) === undefined) return () => undefined;
    this.#shown.set(slug, (this.#shown.get(slug) ?? 0) + 1);
    if (this.#shown.get(slug) === 1) this.#open(slug);
    let shown = true;
    return () => {
      if (!shown) return;
      shown = false;
      const left = (this.#shown.get(slug) ?? 1) - 1;
      if (left > 0) this.#shown.set(slug, left);
      else this.#shown.delete(slug);
      if (left <= 0) this.#checker.close(slug);
    };
  }

  /** The lesson's files changed. */
  reload(slug: string): void {
    if (this.#shown.has(slug)) this.#open(slug);
    this.#options.lab.tell({ type: 'lesson.changed', lesson: slug });
  }

  /** Resolves when nothing of a lesson's preparation runs in the machine any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopFollowing();
    this.#unsubscribe();
    this.#checker.stop();
    await Promise.all(this.#preparing.values());
  }

  #newChecker(): Checker {
    return new Checker({ onChange: (lesson, changed) => this.#onChange(lesson, changed) });
  }

  #follow(journal: LabJournal): void {
    this.#unsubscribe();
    this.#checker.stop();
    this.#checker = this.#newChecker();
    this.#checker.take(journal.read(0, Number.POSITIVE_INFINITY));
    this.#unsubscribe = journal.subscribe((events) => this.#checker.take(events));
    for (const slug of this.#shown.keys()) this.#open(slug);
  }

  #open(slug: string): void {
    const lesson = this.#options.library.find(slug);
    if (lesson === undefined) return;
    const { store, learner } = this.#options;
    const visit = this.#visit(slug);
    this.#keepVisit(slug, visit);
    if (!visit.prepared) this.#prepared = this.#prepare(slug, lesson);
    this.#checker.open(slug, { lab: lesson.lab, afterSeq: visit.afterSeq, before: store.tasks(learner, slug) });
  }

  /** Where work on the lesson began in the present journal; in another machine's it begins anew. */
  #visit(slug: string): Visit {
    const { store, learner, lab } = this.#options;
    const visit = store.visit(learner, slug);
    return visit?.journal === lab.journal.id ? visit : { journal: lab.journal.id, afterSeq: 0, prepared: false };
  }

  /** The lab's own preparation, once in each machine; one that failed, or was broken off, is tried again when the lesson is next shown. */
  #prepare(slug: string, lesson: Lesson): Promise<boolean> {
    const { lab } = this.#options;
    const { id: journal } = lab.journal;
    const key = `${journal} ${slug}`;
    const preparing =
      this.#preparing.get(key) ??
      this.#setUp(lesson, journal)
        .then((prepared) => {
          if (prepared && lab.journal.id === journal) this.#keepVisit(slug, { ...this.#visit(slug), prepared });
          return prepared;
        })
        .finally(() => this.#preparing.delete(key));
    this.#preparing.set(key, preparing);
    return preparing;
  }

  /** @param journal of the machine that it is for: none of it is done in the next one */
  async #setUp({ lab: { lesson, setup } }: Lesson, journal: string): Promise<boolean> {
    const { lab, machines, log } = this.#options;
    await lab.settled();
    for (const line of setup) {
      if (this.#closed || lab.journal.id !== journal) return false;
      const result = await machines
        .run(lab.machine, ['/bin/sh', '-c', line])
        .catch((error: unknown) => ({ exitCode: -1, stderr: String(error) }));
      if (result.exitCode === 0) continue;
      log.error({ lesson, line, exitCode: result.exitCode, stderr: result.stderr.slice(0, 1000) }, 'setting up a lesson failed');
      const text = `preparing this lesson failed at "${line}" with exit code ${result.exitCode}`;
      lab.journal.append({ type: 'notice', level: 'error', text }, monotonicMs(), 'host');
      return false;
    }
    return true;
  }

  #onChange(lesson: string, changed: readonly TaskState[]): void {
    const { store, learner, lab } = this.#options;
    for (const state of changed) {
      const { task, status, saw } = state;
      this.#keep(`that task ${task} is ${status}`, () => store.setTask(learner, lesson, state));
      const check = saw === undefined ? { lesson, task, status } : { lesson, task, status, saw: saw.slice(0, 1000) };
      lab.journal.append({ type: 'check', check }, monotonicMs(), 'host');
    }
    this.#tellProgress(lesson);
  }

  /** Nobody waits for what is kept here: where it cannot be, the lab goes on. @param what a clause that reads well after "cannot keep" */
  #keep(what: string, write: () => void): void {
    const { lab, log } = this.#options;
    try {
      write();
    } catch (error) {
      log.error({ err: error, what }, 'progress cannot be written');
      const text = `the lab cannot keep ${what}: its disk may be full`;
      lab.journal.append({ type: 'notice', level: 'error', text }, monotonicMs(), 'host');
    }
  }

  #keepVisit(slug: string, visit: Visit): void {
    const { store, learner } = this.#options;
    this.#keep(`where work on ${slug} began`, () => store.setVisit(learner, slug, visit));
  }

  #tellProgress(lesson: string): void {
    this.#options.lab.tell({ type: 'progress', lesson, tasks: this.progress(lesson) });
  }

  #require(slug: string): Lesson {
    const lesson = this.#options.library.find(slug);
    if (lesson === undefined) throw notFound('lesson', slug);
    return lesson;
  }

  #requireTask(slug: string, id: string): Lesson['lab']['tasks'][number] {
    const task = this.#require(slug).lab.tasks.find((candidate) => candidate.id === id);
    if (task === undefined) throw notFound('task', id);
    return task;
  }
}
