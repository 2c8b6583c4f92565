/**
 * Every learner's lab, by learner id.
 *
 * Knows: who is there. A learner's things are reached only through their own entry.
 * Does not know: how a learner proves who they are (access/).
 */
import { EngineError } from '@slipway/errors';
import type { LessonLibrary } from '../lessons/library.ts';
import type { HostFacts, HostObserver, LabMachines, Log, OpenPtyHost } from '../ports.ts';
import type { Store } from '../store.ts';
import { LearnerLab } from './learner-lab.ts';
import { LearnerLessons } from './lessons-of-learner.ts';
import { Terminals } from './terminals.ts';

export interface LearnersOptions {
  readonly store: Store;
  readonly library: LessonLibrary;
  readonly machines: LabMachines;
  readonly observer: HostObserver;
  readonly openPtyHost: OpenPtyHost;
  readonly host: HostFacts;
  readonly limits: { readonly memoryBytes: number; readonly cpus: number; readonly pids: number };
  readonly terminalsPerLearner: number;
  /** Each machine's journals get a directory below. */
  readonly journalsDir: string;
  readonly log: Log;
}

export interface Learner {
  readonly id: string;
  readonly name: string;
  readonly lab: LearnerLab;
  readonly lessons: LearnerLessons;
}

const LEARNER_ID = /^[a-z0-9][a-z0-9-]{0,39}$/;

export class Learners {
  readonly terminals: Terminals;
  /** While the lab starts, whoever is not here yet is on their way: their page must try again rather than give its session up. */
  starting = false;
  readonly #options: LearnersOptions;
  readonly #learners = new Map<string, Learner>();

  constructor(options: LearnersOptions) {
    this.#options = options;
    const ofMachine = (machine: string) => this.#learners.get(machine)?.lab;
    this.terminals = new Terminals({
      machines: options.machines,
      openPtyHost: options.openPtyHost,
      perMachine: options.terminalsPerLearner,
      log: options.log,
      listener: {
        opened: ({ labels, pid }) => ofMachine(labels['machine'] ?? '')?.followTerminal(pid),
        commanded: ({ id, labels }, line) => ofMachine(labels['machine'] ?? '')?.tellCommand(id, line),
        changed: (machine) => ofMachine(machine)?.tellTerminals(),
        exited: ({ id, labels, exitCode = 0 }) =>
          ofMachine(labels['machine'] ?? '')?.tell({ type: 'terminal.exited', terminal: id, exitCode }),
      },
    });
  }

  /** Brings a learner in: finds or makes their machine, which is named like them. */
  async add(id: string, name: string): Promise<Learner> {
    if (!LEARNER_ID.test(id)) {
      throw new EngineError('invalid-argument', `learner id "${id}" is not 1 to 40 small letters, digits and dashes`, {
        code: 'E_LEARNER_ID',
        op: 'learner.add',
      });
    }
    const { store, library, machines, observer, host, limits, journalsDir, log } = this.#options;
    store.addLearner(id, name);
    const journalDir = `${journalsDir}/${id}`;
    const lab = await LearnerLab.open({ machine: id, machines, observer, terminals: this.terminals, store, journalDir, host, limits, log });
    const lessons = new LearnerLessons({ learner: id, lab, library, store, machines, log });
    const learner = { id, name: store.learnerName(id) ?? name, lab, lessons };
    this.#learners.set(id, learner);
    return learner;
  }

  all(): readonly Learner[] {
    return [...this.#learners.values()];
  }

  /**
   * @throws EngineError `permission-denied` / `E_SESSION` for a session of somebody who is not here any more,
   * `unavailable` / `E_STARTING` while they may still come
   */
  require(id: string): Learner {
    const learner = this.#learners.get(id);
    if (learner !== undefined) return learner;
    if (this.starting) {
      throw new EngineError('unavailable', 'the lab is starting', {
        code: 'E_STARTING',
        op: 'learner.find',
        hint: 'try again in a moment',
      });
    }
    throw new EngineError('permission-denied', 'this session belongs to nobody here', { code: 'E_SESSION', op: 'learner.find' });
  }

  async close(): Promise<void> {
    for (const { lab, lessons } of this.#learners.values()) {
      await lessons.close();
      await lab.close();
    }
    this.#learners.clear();
  }
}
