/**
 * A lab of labd's own parts for one run: own data, state and cgroups, no port, no browser; nothing of it stays.
 *
 * Knows: how the parts are put together, how a fresh machine with an open lesson comes about, and how all of it goes.
 * Does not know: what is typed, what must come of it.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { EngineError } from '@slipway/errors';
import type { Lesson, LessonFolders } from '@slipway/lessons';
import { loadLessons } from '@slipway/lessons';
import { openPtyHost } from '@slipway/terminal';
import { pino } from 'pino';
import { type Config, readConfig } from '../config.ts';
import { openHostObserver, openLabMachines, readHost } from '../host-parts.ts';
import { type Learner, Learners } from '../lab/learners.ts';
import { removeEmpty } from '../lab-daemon.ts';
import { LESSON_FILES, LessonLibrary } from '../lessons/library.ts';
import { Store } from '../store.ts';
import { Typist } from './typist.ts';

export interface DisposableLab {
  readonly lessons: readonly Lesson[];
  /** Aborted when the run is to end. */
  readonly signal: AbortSignal;
  /**
   * A new machine in which nothing was done but the lesson's own preparation, and its terminal at a prompt.
   * @param slot the machine of an earlier attempt in this slot is gone; slots are independent of each other
   */
  fresh(slug: string, slot: number): Promise<Attempt>;
  end(): Promise<void>;
}

export interface Attempt {
  readonly typist: Pick<Typist, 'line' | 'status' | 'lastLines' | 'close'>;
  /** Whether this task is passed, and what its check saw else. */
  task(id: string): { readonly passed: boolean; readonly saw: string };
}

interface Current {
  readonly learner: Learner;
  readonly hide: () => void;
}

/** On a busy host the shell is there before the engine; a learner would read first. */
const ENGINE_IS_UP = 'until docker version >/dev/null 2>&1; do sleep 0.1; done';
const PTY_HOST_IDLE_MS = 60_000;

/** @throws EngineError `unsupported` / `E_HOST_UNFIT`; `invalid-argument` / `E_LESSON_INVALID` */
export async function openDisposableLab(folders: LessonFolders, signal: AbortSignal): Promise<DisposableLab> {
  const host = readHost();
  const lessons = await loadLessons(LESSON_FILES, folders);
  const directory = mkdtempSync(`${tmpdir()}/slipway-lab-`);
  const config = readConfig({ args: ['--data', directory], env: {}, file: undefined });
  mkdirSync(config.runDir, { recursive: true, mode: 0o700 });
  const parts = await openParts(config, folders);
  const learners = new Learners({ ...parts, ...config, host, journalsDir: `${directory}/journals` });
  const current = new Map<number, Current>();
  return {
    lessons,
    signal,
    fresh: async (slug, slot) => {
      signal.throwIfAborted();
      const learner = await freshMachine(learners, slot, current.get(slot));
      current.set(slot, { learner, hide: learner.lessons.show(slug) });
      if (!(await learner.lessons.prepared())) throw broken(`the preparation of "${slug}" failed`);
      const typist = await Typist.open(learners.terminals, learner.lab, signal);
      await typist.line(ENGINE_IS_UP);
      return { typist, task: (id) => stateOf(learner, slug, id) };
    },
    end: async () => {
      // Each step is tried even if one before it failed: what can be removed is removed.
      const failures: unknown[] = [];
      const steps = [
        () => learners.close(),
        () => learners.terminals.shutdown(),
        () => parts.observer.close(),
        () => parts.machines.removeAll(),
        async () => parts.store.close(),
        async () => rmSync(directory, { recursive: true, force: true }),
        async () => removeEmpty(config.runDir),
      ];
      for (const step of steps) await step().catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw new AggregateError(failures, 'the lab could not be taken down completely');
    },
  };
}

async function openParts(config: Config, folders: LessonFolders) {
  const log = pino({ level: 'error', base: null }, pino.destination({ dest: 2, sync: true }));
  const library = new LessonLibrary(folders, log);
  await library.load();
  const ptyHost = { socketPath: `${config.runDir}/pty/host.sock`, logPath: `${config.dataDir}/pty-host.log`, idleMs: PTY_HOST_IDLE_MS };
  return {
    log,
    library,
    store: new Store(':memory:'),
    machines: openLabMachines(config, log),
    observer: await openHostObserver(config, log),
    openPtyHost: (listener: Parameters<typeof openPtyHost>[1]) => openPtyHost(ptyHost, listener),
  };
}

/** The lesson is closed and its progress forgotten before the machine goes, so that nothing of the attempt before can count. */
async function freshMachine(learners: Learners, slot: number, before: Current | undefined): Promise<Learner> {
  const learner = before?.learner ?? (await learners.add(`solver-${slot}`, `Solver ${slot}`));
  await learner.lab.settled();
  if (before !== undefined) {
    before.hide();
    for (const { slug } of learner.lessons.list()) learner.lessons.reset(slug);
    await learner.lab.reset();
  }
  if (learner.lab.status.state !== 'ready') throw broken(learner.lab.status.problem ?? 'the machine did not start');
  return learner;
}

function stateOf({ lessons }: Learner, slug: string, id: string): { readonly passed: boolean; readonly saw: string } {
  const found = lessons.progress(slug).find(({ task }) => task === id);
  return { passed: found?.status === 'passed', saw: found?.saw ?? 'nothing yet' };
}

function broken(message: string): EngineError {
  return new EngineError('internal', message, { code: 'E_DISPOSABLE_LAB', op: 'lab.fresh' });
}
