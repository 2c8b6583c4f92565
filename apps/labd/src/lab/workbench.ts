/**
 * One learner's workbench agent: started inside the machine when a page first asks for something, ended with session or machine.
 *
 * Knows: lines, whose answer is whose, and that nothing that comes out of a machine is believed unread: a line that is too long or
 *   of another shape ends the agent.
 * Does not know: what requests mean.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  type Failure,
  type PeerBirth,
  type ServerMessage,
  WORKBENCH_LINE_BYTES,
  WorkbenchAnswers,
  type WorkbenchLine,
  WorkbenchReply,
  type WorkbenchRequest,
} from '@slipway/contracts';
import { EngineError } from '@slipway/errors';
import type { z } from 'zod';
import { toFailure } from '../failures.ts';
import type { HostObserver, LabMachines, Log } from '../ports.ts';
import { Allowance, throttle } from '../rate.ts';
import type { Terminals } from './terminals.ts';

export interface WorkbenchOptions {
  readonly machine: string;
  readonly machines: Pick<LabMachines, 'enterCommand'>;
  readonly terminals: Pick<Terminals, 'open'>;
  readonly observer: Pick<HostObserver, 'record'>;
  readonly log: Log;
  /** Milliseconds that an agent has for undoing what it began, once its input has ended; default 5000. */
  readonly graceMs?: number;
}

/** One page's hold on the agent. */
export interface WorkbenchPage {
  /** The answer is sent as a message. Never rejects. */
  ask(id: number, request: WorkbenchRequest): Promise<void>;
  /** Its births are undone. */
  leave(): void;
}

type Send = (message: ServerMessage) => void;

interface Pending {
  readonly agent: ChildProcess;
  readonly request: WorkbenchRequest;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

const SLIPWAY = '/usr/lib/slipway/bin/slipway';
/**
 * In a mount namespace of its own: what a birth without one mounts, the machine never sees, and it goes with the agent. What the
 * machine mounts, the agent sees.
 */
const COMMAND = ['/usr/bin/unshare', '--mount', '--propagation', 'slave', SLIPWAY, 'workbench'];
type PreparedRun = z.infer<(typeof WorkbenchAnswers)['openRun']>;
type Peer = z.infer<(typeof WorkbenchAnswers)['peer']>;
type Entrance = z.infer<(typeof WorkbenchAnswers)['shell']>;

const ENTER = {
  user: '--user',
  mount: '--mount',
  pid: '--pid',
  network: '--net',
  ipc: '--ipc',
  uts: '--uts',
  cgroup: '--cgroup',
  time: '--time',
} as const satisfies Record<Entrance['namespaces'][number], string>;
/** Requests of all pages that are not answered yet. */
const MAX_PENDING = 32;
const GRACE_MS = 5000;
/** Of an agent, over the long run; a burst may be four seconds' worth, which is eight of the longest answers. */
const BYTES_PER_SECOND = 4 * 1024 * 1024;

export class Workbench {
  readonly #options: WorkbenchOptions;
  readonly #pages = new Map<number, Send>();
  readonly #pending = new Map<number, Pending>();
  readonly #bytes = new Allowance(BYTES_PER_SECOND, 4 * BYTES_PER_SECOND);
  #agent: Promise<ChildProcess> | undefined;
  /** What `#agent` came to. */
  #running: ChildProcess | undefined;
  /** Counted from when they come, not only from when an agent is there to be asked. */
  #asked = 0;
  #numbers = 0;

  constructor(options: WorkbenchOptions) {
    this.#options = options;
  }

  join(send: Send): WorkbenchPage {
    this.#numbers += 1;
    const page = this.#numbers;
    this.#pages.set(page, send);
    return { ask: (id, request) => this.#answer(page, id, request), leave: () => this.#forget(page) };
  }

  /** Ends the agent, which undoes every birth, and waits for its end. */
  async end(): Promise<void> {
    const agent = await this.#agent?.catch(() => undefined);
    this.#agent = undefined;
    this.#running = undefined;
    if (agent !== undefined) await this.#dismiss(agent);
  }

  /** It undoes what it began; then it is ended. Resolves when it is gone. */
  async #dismiss(agent: ChildProcess): Promise<void> {
    if (agent.exitCode !== null || agent.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => agent.once('close', () => resolve()));
    const deadline = setTimeout(() => agent.kill('SIGKILL'), this.#options.graceMs ?? GRACE_MS);
    agent.stdin?.end();
    await ended;
    clearTimeout(deadline);
  }

  async #answer(page: number, id: number, request: WorkbenchRequest): Promise<void> {
    const send = (message: ServerMessage) => this.#pages.get(page)?.(message);
    this.#asked += 1;
    try {
      if (this.#asked > MAX_PENDING) throw busy();
      send({ type: 'workbench.answer', id, result: await this.#ask(page, request) });
    } catch (error) {
      send({ type: 'workbench.answer', id, failure: this.#explain(error, request) });
    } finally {
      this.#asked -= 1;
    }
  }

  #explain(error: unknown, { do: verb }: WorkbenchRequest): Failure {
    if (error instanceof AgentFailure) return error.failure;
    const { status, failure } = toFailure(error);
    if (status >= 500) this.#options.log.error({ err: error, machine: this.#options.machine, verb }, 'a workbench request failed');
    return failure;
  }

  async #ask(page: number, request: WorkbenchRequest): Promise<unknown> {
    this.#agent ??= this.#start();
    const agent = await this.#agent;
    if (request.do === 'peer') return await this.#record(agent, page, request);
    const answer = await this.#askAgent(agent, page, request);
    if (request.do === 'shell') return await this.#openShell(answer as Entrance);
    return request.do === 'openRun' ? await this.#openRun(answer as PreparedRun) : answer;
  }

  #askAgent(agent: ChildProcess, page: number, request: WorkbenchRequest): Promise<unknown> {
    if (agent !== this.#running) return Promise.reject(gone());
    this.#numbers += 1;
    const id = this.#numbers;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { agent, request, resolve, reject });
      this.#write(agent, { id, page, request });
    });
  }

  /** A machine cannot see its own system calls; its host can. */
  async #record(agent: ChildProcess, page: number, request: WorkbenchRequest): Promise<PeerBirth> {
    const tape = await this.#options.observer.record(agent.pid ?? 0);
    try {
      const peer = (await this.#askAgent(agent, page, request)) as Peer;
      return { ...peer, ...(await tape.end(peer.program)) };
    } catch (error) {
      await tape.end('');
      throw error;
    }
  }

  /** Whatever process the agent named, it is one of the machine: the terminal's program finds it from inside. */
  async #openShell({ pid, namespaces }: Entrance): Promise<{ readonly terminal: string }> {
    const { terminals, machine } = this.#options;
    const enter = [
      '/usr/bin/nsenter',
      '--target',
      String(pid),
      ...namespaces.map((kind) => ENTER[kind]),
      '--root',
      '--wd',
      '--',
      '/bin/sh',
      '-i',
    ];
    const { id } = await terminals.open(machine, { title: 'half-born', argv: ['/usr/bin/env', 'PS1=half-born:\\w# ', ...enter] });
    return { terminal: id };
  }

  async #openRun({ run }: PreparedRun): Promise<PreparedRun & { readonly terminal: string }> {
    const { terminals, machine } = this.#options;
    const { id } = await terminals.open(machine, { title: 'run', argv: [SLIPWAY, 'workbench', 'terminal', String(run)] });
    return { run, terminal: id };
  }

  #forget(page: number): void {
    this.#pages.delete(page);
    void this.#agent?.then((agent) => this.#write(agent, { gone: page })).catch(() => undefined);
  }

  #write(agent: ChildProcess, line: WorkbenchLine): void {
    agent.stdin?.write(`${JSON.stringify(line)}\n`);
  }

  async #start(): Promise<ChildProcess> {
    try {
      const { machines, machine } = this.#options;
      const { file, args, env } = await machines.enterCommand(machine, COMMAND, { pipes: true });
      const agent = spawn(file, [...args], { env, stdio: ['pipe', 'pipe', 'ignore'], cwd: '/' });
      agent.on('error', () => this.#lost(agent));
      agent.on('close', () => this.#lost(agent));
      agent.stdin.on('error', () => undefined); // its end says why
      let rest = Buffer.alloc(0);
      agent.stdout.on('data', (chunk: Buffer) => {
        rest = this.#read(agent, Buffer.concat([rest, chunk]));
        throttle(agent.stdout, this.#bytes, chunk.length);
      });
      this.#running = agent;
      return agent;
    } catch (error) {
      this.#agent = undefined;
      throw error;
    }
  }

  /** @returns what is left of an unfinished line */
  #read(agent: ChildProcess, bytes: Buffer): Buffer<ArrayBuffer> {
    let rest = bytes;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const reply = end > WORKBENCH_LINE_BYTES ? undefined : parseReply(rest.toString('utf8', 0, end));
      rest = rest.subarray(end + 1);
      if (reply === undefined) return this.#distrust(agent);
      this.#take(reply);
    }
    return rest.length > WORKBENCH_LINE_BYTES ? this.#distrust(agent) : Buffer.from(rest);
  }

  #take(reply: WorkbenchReply): void {
    if ('event' in reply) {
      this.#pages.get(reply.page)?.({ type: 'workbench.event', event: reply.event });
      return;
    }
    const asked = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (asked === undefined) return;
    if (reply.failure !== undefined) {
      asked.reject(new AgentFailure(reply.failure));
      return;
    }
    const answer = WorkbenchAnswers[asked.request.do].safeParse(reply.result);
    if (answer.success) asked.resolve(answer.data);
    else {
      this.#options.log.warn({ machine: this.#options.machine, verb: asked.request.do }, 'the workbench agent answered in another shape');
      asked.reject(unreadable());
    }
  }

  #distrust(agent: ChildProcess): Buffer<ArrayBuffer> {
    this.#options.log.warn({ machine: this.#options.machine }, 'the workbench agent says what is none of its protocol');
    agent.stdout?.removeAllListeners('data');
    agent.stdout?.resume();
    void this.#dismiss(agent);
    this.#lost(agent);
    return Buffer.alloc(0);
  }

  #lost(agent: ChildProcess): void {
    if (agent === this.#running) {
      this.#agent = undefined;
      this.#running = undefined;
    }
    for (const [id, asked] of this.#pending) {
      if (asked.agent !== agent) continue;
      this.#pending.delete(id);
      asked.reject(gone());
    }
  }
}

/** The agent refused; its words go to the page as they are. */
class AgentFailure extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

function parseReply(line: string): WorkbenchReply | undefined {
  try {
    return WorkbenchReply.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function busy(): EngineError {
  return new EngineError('unavailable', `the workbench has ${MAX_PENDING} requests to answer`, {
    code: 'E_WORKBENCH_BUSY',
    op: 'workbench.ask',
    hint: 'wait until it has answered',
  });
}

function gone(): EngineError {
  return new EngineError('unavailable', 'the workbench in the machine ended', {
    code: 'E_WORKBENCH_GONE',
    op: 'workbench.ask',
    hint: 'try again, which starts another; births that were under way are undone',
  });
}

function unreadable(): EngineError {
  return new EngineError('internal', 'the workbench in the machine answered something else', {
    code: 'E_WORKBENCH_ANSWER',
    op: 'workbench.ask',
  });
}
