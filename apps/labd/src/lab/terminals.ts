/**
 * The learners' terminals in the pty host: opening, finding again, closing.
 *
 * Knows: that terminals carry their machine's id as a label, so that a restarted labd knows whose they are; that the host can die;
 *   how many that have ended stay.
 * Does not know: browsers; whoever attaches goes through {@link Terminals.attach}.
 */
import { randomBytes } from 'node:crypto';
import { EngineError } from '@slipway/errors';
import type { AttachRequest, Channel, ChannelListener, TerminalState } from '@slipway/terminal';
import { notFound } from '../failures.ts';
import type { LabMachines, Log, OpenPtyHost, PtyHost } from '../ports.ts';

interface TerminalsListener {
  opened(terminal: TerminalState): void;
  exited(terminal: TerminalState): void;
  commanded(terminal: TerminalState, line: string): void;
  /** Titles, or the list itself, changed. */
  changed(machine: string): void;
}

/** What runs in a terminal. */
export interface TerminalProgram {
  /** Its tab's, before a number. */
  readonly title: string;
  readonly argv: readonly string[];
}

export interface TerminalsOptions {
  readonly machines: Pick<LabMachines, 'enterCommand'>;
  readonly openPtyHost: OpenPtyHost;
  readonly listener: TerminalsListener;
  readonly perMachine: number;
  readonly log: Log;
}

interface Opening extends Pick<TerminalState, 'labels'> {
  /** What the host told of it before it had said that it is there: a program may be over at once. */
  readonly news: Array<() => void>;
}

const SHELL: TerminalProgram = { title: 'shell', argv: ['/bin/bash', '-l'] };
const FIRST_SIZE = { cols: 100, rows: 30 };

export class Terminals {
  readonly #options: TerminalsOptions;
  readonly #known = new Map<string, TerminalState>();
  /** Those on their way, by id: they count, and their numbers are taken. */
  readonly #opening = new Map<string, Opening>();
  #host: Promise<PtyHost> | undefined;
  #closing = false;

  constructor(options: TerminalsOptions) {
    this.#options = options;
  }

  /** Finds the terminals that outlived the labd before us. */
  async connect(): Promise<void> {
    const host = await this.#connected();
    for (const terminal of await host.list()) this.#known.set(terminal.id, terminal);
  }

  of(machine: string): readonly TerminalState[] {
    return [...this.#known.values()].filter((terminal) => terminal.labels['machine'] === machine);
  }

  /** @throws EngineError `not-found` / `E_NOT_FOUND`, also for another machine's */
  require(machine: string, id: string): TerminalState {
    const terminal = this.#known.get(id);
    if (terminal === undefined || terminal.labels['machine'] !== machine) throw notFound('terminal', id);
    return terminal;
  }

  /** A login shell in the machine, or another program. @throws EngineError `failed-precondition` / `E_TERMINAL_LIMIT` */
  async open(machine: string, program: TerminalProgram = SHELL): Promise<TerminalState> {
    const { perMachine } = this.#options;
    const isHere = ({ labels }: Pick<TerminalState, 'labels'>) => labels['machine'] === machine;
    const open = [...this.of(machine), ...[...this.#opening.values()].filter(isHere)];
    if (open.length >= perMachine) {
      throw new EngineError('failed-precondition', `there are already ${open.length} terminals`, {
        code: 'E_TERMINAL_LIMIT',
        op: 'terminal.open',
        hint: 'close one that is not needed',
      });
    }
    const id = `t-${randomBytes(9).toString('base64url')}`;
    const opening: Opening = { labels: { machine, kind: program.title, number: freeNumber(open) }, news: [] };
    this.#opening.set(id, opening);
    try {
      return await this.#create(machine, program, { id, ...opening });
    } finally {
      this.#opening.delete(id);
    }
  }

  async #create(
    machine: string,
    { title, argv }: TerminalProgram,
    { id, labels, news }: Opening & Pick<TerminalState, 'id'>,
  ): Promise<TerminalState> {
    const { machines, listener } = this.#options;
    const { file, args, env } = await machines.enterCommand(machine, argv);
    const host = await this.#connected();
    const about = { id, title: `${title} ${labels['number']}`, labels };
    const terminal = await host.create({ ...about, file, args, env, cwd: '/', ...FIRST_SIZE });
    this.#opening.delete(id);
    this.#known.set(id, terminal);
    listener.opened(terminal);
    listener.changed(machine);
    for (const tell of news) tell();
    return this.#known.get(id) ?? terminal;
  }

  async close(machine: string, id: string): Promise<void> {
    this.require(machine, id);
    await this.#end(machine, id);
  }

  async closeAll(machine: string): Promise<void> {
    for (const { id } of this.of(machine)) await this.#end(machine, id);
  }

  /** Quiet when there is none, or somebody else ends it at the same time. */
  async #end(machine: string, id: string): Promise<void> {
    const host = await this.#connected();
    await host.close(id);
    if (this.#known.delete(id)) this.#options.listener.changed(machine);
  }

  /** @throws EngineError `not-found` for a terminal that is not this machine's */
  async attach(machine: string, id: string, request: AttachRequest, listener: ChannelListener): Promise<Channel> {
    this.require(machine, id);
    return (await this.#connected()).attach(id, request, listener);
  }

  /** Leaves the host and its terminals to the next labd. */
  async leave(): Promise<void> {
    this.#closing = true;
    (await this.#host)?.disconnect();
  }

  /** Ends every terminal and the host. */
  async shutdown(): Promise<void> {
    this.#closing = true;
    const host = await this.#host?.catch(() => undefined);
    await host?.shutdown();
  }

  #connected(): Promise<PtyHost> {
    this.#host ??= this.#options
      .openPtyHost({
        exited: (terminal) =>
          this.#update(terminal, () => {
            this.#options.listener.exited(terminal);
            void this.#tidy(terminal);
          }),
        titled: (terminal) => this.#update(terminal, () => this.#options.listener.changed(terminal.labels['machine'] ?? '')),
        commanded: (terminal, line) => this.#update(terminal, () => this.#options.listener.commanded(terminal, line)),
        lost: () => this.#lose(),
      })
      .catch((error: unknown) => {
        this.#host = undefined;
        throw error;
      });
    return this.#host;
  }

  #update(terminal: TerminalState, tell: () => void): void {
    this.#opening.get(terminal.id)?.news.push(() => this.#update(terminal, tell));
    if (!this.#known.has(terminal.id)) return;
    this.#known.set(terminal.id, terminal);
    tell();
  }

  /** What the latest ended terminal of a kind said can be read; those of the kind that ended before it go. */
  async #tidy({ id: latest, labels: { machine = '', kind } }: TerminalState): Promise<void> {
    const isOlder = ({ id, exitCode, labels }: TerminalState) => id !== latest && exitCode !== undefined && labels['kind'] === kind;
    for (const { id } of this.of(machine).filter(isOlder)) {
      await this.#end(machine, id).catch((error: unknown) => this.#options.log.warn({ err: error, machine }, 'an ended terminal stays'));
    }
  }

  /** The host died, and the terminals with it; the next one that is opened starts another host. */
  #lose(): void {
    this.#host = undefined;
    if (this.#closing) return;
    this.#options.log.error({ terminals: this.#known.size }, 'the pty host is lost');
    const machines = new Set([...this.#known.values()].map((terminal) => terminal.labels['machine'] ?? ''));
    this.#known.clear();
    for (const machine of machines) this.#options.listener.changed(machine);
  }
}

/** The lowest one that no open terminal began with: `shell 1`, `shell 2` … */
function freeNumber(open: readonly Pick<TerminalState, 'labels'>[]): string {
  const taken = new Set(open.map(({ labels }) => labels['number']));
  let number = 1;
  while (taken.has(String(number))) number += 1;
  return String(number);
}
