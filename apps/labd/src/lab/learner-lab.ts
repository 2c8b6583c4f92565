/**
 * Everything of one learner: their machine, its journal, what the engine and the host report into it.
 *
 * Knows: the order in which these come and go, and that one change happens at a time.
 * Does not know: HTTP, sockets; whoever shows it subscribes.
 *
 *     creating ──▶ ready ──reset──▶ resetting ──▶ ready
 *         └──────────▶ failed ──reset──▶ …
 */
import type { MachineStatus, ServerMessage, TerminalInfo } from '@slipway/contracts';
import { findEngineError } from '@slipway/errors';
import { monotonicMs } from '@slipway/kernel';
import type { TerminalState } from '@slipway/terminal';
import type { HostFacts, HostObserver, LabMachines, Log, MachineHandle, Watch } from '../ports.ts';
import type { Store } from '../store.ts';
import { EngineFeed } from './engine-feed.ts';
import { type JournalOptions, LabJournal } from './journal.ts';
import type { Terminals } from './terminals.ts';
import { Workbench } from './workbench.ts';

export interface LearnerLabOptions {
  readonly machine: string;
  readonly machines: LabMachines;
  readonly observer: HostObserver;
  readonly terminals: Terminals;
  readonly store: Pick<Store, 'feed' | 'setFeed' | 'forgetFeed'>;
  readonly journalDir: string;
  readonly host: HostFacts;
  readonly limits: { readonly memoryBytes: number; readonly cpus: number; readonly pids: number };
  readonly log: Log;
}

/** Told to every page of the learner. */
export type LabListener = (message: ServerMessage) => void;

export class LearnerLab {
  readonly machine: string;
  readonly workbench: Workbench;
  readonly #options: LearnerLabOptions;
  readonly #listeners = new Set<LabListener>();
  readonly #journalListeners = new Set<(journal: LabJournal) => void>();
  #journal: LabJournal;
  #state: MachineStatus['state'] = 'creating';
  #problem: string | undefined;
  #createdInMs: number | undefined;
  #attachments: Array<() => Promise<void> | void> = [];
  #watch: Watch | undefined;
  #change: Promise<void> = Promise.resolve();
  #resetting: Promise<void> | undefined;

  private constructor(options: LearnerLabOptions, journal: LabJournal) {
    this.machine = options.machine;
    this.workbench = new Workbench(options);
    this.#options = options;
    this.#journal = journal;
  }

  /** Begins to make the machine, or to find it again; `status` and the listeners tell how far it is. */
  static async open(options: LearnerLabOptions): Promise<LearnerLab> {
    const restored = await LabJournal.restore(journalOptions(options));
    const lab = new LearnerLab(options, restored ?? LabJournal.begin(journalOptions(options)));
    lab.#change = lab.#start(restored !== undefined);
    return lab;
  }

  /** Resolves when the change under way, if any, is done; never rejects. */
  settled(): Promise<void> {
    return this.#change;
  }

  get journal(): LabJournal {
    return this.#journal;
  }

  get status(): MachineStatus {
    const { memoryBytes, cpus, pids } = this.#options.limits;
    const status: MachineStatus = {
      id: this.machine,
      state: this.#state,
      memoryLimitBytes: memoryBytes,
      cpus,
      pidsLimit: pids,
      tier: 'T1',
    };
    if (this.#problem !== undefined) status.problem = this.#problem;
    if (this.#createdInMs !== undefined) status.createdInMs = this.#createdInMs;
    return status;
  }

  get terminals(): readonly TerminalInfo[] {
    return this.#options.terminals.of(this.machine).map(toInfo);
  }

  subscribe(listener: LabListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Called at once with the present journal and again with each new one. */
  onJournal(listener: (journal: LabJournal) => void): () => void {
    this.#journalListeners.add(listener);
    listener(this.#journal);
    return () => void this.#journalListeners.delete(listener);
  }

  tell(message: ServerMessage): void {
    for (const listener of this.#listeners) listener(message);
  }

  /** A terminal's program is on its way into the machine. */
  followTerminal(pid: number): void {
    this.#watch?.follow(pid);
  }

  /** A shell in the machine said which command line it begins; like all that comes from there, it may be made up. */
  tellCommand(terminal: string, line: string): void {
    this.#journal.append({ type: 'command', terminal, line }, monotonicMs(), 'machine');
  }

  tellTerminals(): void {
    this.tell({ type: 'terminals', terminals: this.terminals });
  }

  /** A new machine, an empty journal, a fresh terminal. Callers during a reset share it. */
  async reset(): Promise<MachineStatus> {
    this.#resetting ??= this.#change
      .then(() => this.#reset())
      .finally(() => {
        this.#resetting = undefined;
      });
    this.#change = this.#resetting;
    await this.#resetting;
    return this.status;
  }

  /** Stops reporting; the machine and its terminals stay for the next labd, or are removed by the caller. */
  async close(): Promise<void> {
    await this.#change;
    await this.workbench.end();
    await this.#detach();
    this.#journal.close();
  }

  async #start(restored: boolean): Promise<void> {
    try {
      const handle = await this.#options.machines.ensure(this.machine);
      // A machine that had to be made is another one than the journal tells of, and old terminals led into the old one.
      const anew = handle.createdInMs !== undefined;
      if (anew) await this.#options.terminals.closeAll(this.machine);
      if (anew && restored) this.#beginJournal();
      if (anew || !restored) this.#appendEpoch();
      await this.#becomeReady(handle);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #reset(): Promise<void> {
    this.#setState('resetting');
    try {
      await this.#options.terminals.closeAll(this.machine);
      await this.workbench.end();
      await this.#detach();
      const handle = await this.#options.machines.reset(this.machine);
      this.#beginJournal();
      this.#appendEpoch();
      await this.#becomeReady(handle);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #becomeReady(handle: MachineHandle): Promise<void> {
    await this.#attach(handle);
    this.#createdInMs = handle.createdInMs;
    if (this.terminals.length === 0) await this.#options.terminals.open(this.machine);
    this.#setState('ready');
  }

  async #attach(handle: MachineHandle): Promise<void> {
    try {
      await this.#connect(handle);
    } catch (error) {
      await this.#detach();
      throw error;
    }
  }

  async #connect(handle: MachineHandle): Promise<void> {
    const { store, observer, log } = this.#options;
    const journal = this.#journal;
    let mark = store.feed(journal.id);
    const feed = await EngineFeed.open({
      labDir: handle.labDir,
      mark: () => mark,
      onMark: (next) => {
        mark = next;
      },
      emit: (body, atMs) => journal.append(body, atMs, 'machine'),
      onTrouble: (error) => log.warn({ err: error, machine: this.machine }, 'a connection of its engine was not accepted'),
    });
    this.#attachments.push(() => feed.close());
    this.#attachments.push(journal.onFlush(() => mark !== undefined && store.setFeed(journal.id, mark)));
    const watch = observer.watch(
      handle,
      (body, atMs) => journal.append(body, atMs, 'host'),
      () => this.#stopped(watch),
    );
    this.#watch = watch;
    this.#attachments.push(() => watch.stop());
    for (const { pid } of this.#options.terminals.of(this.machine)) watch.follow(pid);
  }

  async #detach(): Promise<void> {
    this.#watch = undefined;
    for (const stop of this.#attachments.splice(0).toReversed()) await stop();
  }

  #beginJournal(): void {
    this.#journal.close();
    this.#options.store.forgetFeed(this.#journal.id);
    this.#journal = LabJournal.begin(journalOptions(this.#options));
    // Pages must know the journal's name before its first events come.
    this.tell({ type: 'journal.new', journal: this.#journal.id });
    for (const listener of this.#journalListeners) listener(this.#journal);
  }

  #appendEpoch(): void {
    const { version, kernel, cgroupMode } = this.#options.host;
    const body = { type: 'epoch', wallMs: Date.now(), machine: this.machine, kernel, cgroupMode, engine: `slipway ${version}` } as const;
    this.#journal.append(body, monotonicMs(), 'host');
  }

  #fail(error: unknown): void {
    this.#options.log.error({ err: error, machine: this.machine }, 'the machine is not usable');
    const known = findEngineError(error);
    this.#problem =
      known === undefined ? 'the lab made a mistake; its log says more' : [known.message, known.hint].filter(Boolean).join('; ');
    this.#setState('failed');
  }

  /** The machine ended by itself, or by its root's hand. Told of a watch that is not the present one any more, it is old news. */
  #stopped(watch: Watch): void {
    if (this.#watch !== watch || this.#state !== 'ready') return;
    this.#options.log.warn({ machine: this.machine }, 'the machine stopped');
    this.#problem = 'the machine stopped: its first process ended, and everything in it with it; a reset makes a new one';
    this.#journal.append({ type: 'notice', level: 'error', text: this.#problem }, monotonicMs(), 'host');
    this.#setState('failed');
  }

  #setState(state: MachineStatus['state']): void {
    this.#state = state;
    if (state !== 'failed') this.#problem = undefined;
    this.tell({ type: 'machine', machine: this.status });
  }
}

function journalOptions({ machine, journalDir: dir, log }: LearnerLabOptions): JournalOptions {
  return { dir, onProblem: (error) => log.error({ err: error, machine }, 'the journal cannot be written, and ends with this lab') };
}

export function toInfo({ id, title }: TerminalState): TerminalInfo {
  return { id, title, role: 'owner' };
}
