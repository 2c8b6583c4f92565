/** A lesson's own preparation: once in each machine, whatever becomes of the lab meanwhile. */
import type { Lesson } from '@slipway/lessons';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LessonLibrary } from '../lessons/library.ts';
import { until } from '../testing/page.ts';
import { type Served, serve } from '../testing/serve.ts';
import { LESSON, silent } from '../testing/stand-in.ts';
import { LearnerLessons } from './lessons-of-learner.ts';

const named = (slug: string): Lesson => ({
  document: { ...LESSON.document, meta: { ...LESSON.document.meta, slug } },
  lab: { ...LESSON.lab, lesson: slug, setup: [`begin ${slug}`, `finish ${slug}`] },
});

class TwoLessons extends LessonLibrary {
  override find(slug: string) {
    return ['one', 'two'].includes(slug) ? named(slug) : undefined;
  }
}

let lab: Served;
let ran: string[];
/** Resolve the lines that are running, in their order: with their exit codes. */
let answers: Array<(exitCode: number) => void>;
beforeEach(async () => {
  lab = await serve();
  [ran, answers] = [[], []];
});
afterEach(() => lab.close());

function lessons(): LearnerLessons {
  return new LearnerLessons({
    learner: 'alice',
    lab: lab.alice.learner.lab,
    library: new TwoLessons({ contentDir: '', labsDir: '', locale: 'en' }, silent),
    store: lab.store,
    machines: {
      run: (_id, argv) => {
        ran.push(argv.at(-1) ?? '');
        return new Promise((resolve) => answers.push((exitCode) => resolve({ exitCode, stdout: '', stderr: '' })));
      },
    },
    log: silent,
  });
}

async function answer(exitCode: number): Promise<void> {
  await until(() => answers.length > 0);
  answers.shift()?.(exitCode);
}

test('one that failed is tried again when the lesson is next shown, and one that went well is not', async () => {
  const of = lessons();
  const hide = of.show('one');
  await answer(1);
  expect(await of.prepared()).toBe(false);
  hide();

  of.show('one');
  for (const _ of ['begin', 'finish']) await answer(0);
  expect(await of.prepared()).toBe(true);
  of.show('one')();
  expect(ran).toEqual(['begin one', 'begin one', 'finish one']);
  await of.close();
});

test('one that a lab left half done is begun anew by the next lab', async () => {
  const before = lessons();
  before.show('one');
  await until(() => ran.length === 1);
  const closed = before.close();
  await answer(0);
  await closed;

  const after = lessons();
  after.show('one');
  await until(() => ran.length === 2);
  expect(ran).toEqual(['begin one', 'begin one']);
  for (const _ of ['begin', 'finish']) await answer(0);
  expect(await after.prepared()).toBe(true);
  await after.close();
});

test('nothing of any lesson runs any more when the lab has let go', async () => {
  const of = lessons();
  for (const slug of ['one', 'two']) of.show(slug);
  await until(() => ran.length === 2);
  let closed = false;
  const closing = of.close().then(() => {
    closed = true;
  });
  const [one, two] = answers;
  two?.(0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(closed).toBe(false);
  one?.(0);
  await closing;
});

test('a lesson is shown, and told about, where nothing can be written any more', async () => {
  const of = lessons();
  lab.store.setVisit = () => {
    throw new Error('database or disk is full');
  };
  of.show('one');
  for (const _ of ['begin', 'finish']) await answer(0);
  expect(await of.prepared()).toBe(true);
  const texts = lab.alice.learner.lab.journal.read(0, 1000).flatMap((event) => (event.type === 'notice' ? [event.text] : []));
  expect(texts).toContain('the lab cannot keep where work on one began: its disk may be full');
  await of.close();
});
