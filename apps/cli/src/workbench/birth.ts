/**
 * One birth under somebody's hands: performed operation by operation, looked at in between, undone at the end.
 *
 *     preparing ─▶ stopped ⇄ (going) ─▶ created ─start─▶ running ─▶ ended
 *                     └───────┴──▶ failed        any of them ──undo──▶ undone
 *
 * Knows: when to stop, what has happened so far.
 * Does not know: who asks (births.ts), nor how an operation is performed (packages/runtime).
 */
import type { BirthView, LeftOut, OperationOutcome, PlannedOperation } from '@slipway/contracts';
import { delay, findNamespaces, isErrno, listPids, type NamespaceIds } from '@slipway/kernel';
import { readExit } from '@slipway/launcher';
import type { Runtime } from '@slipway/runtime';
import { type Bundle, makeBundle } from './bundle.ts';
import { describePlan } from './describe-plan.ts';
import { toFailure, unusable } from './failures.ts';
import { leaveNamespacesOut } from './left-out.ts';
import { viewProcess } from './process-view.ts';
import { readShimLog } from './shim-log.ts';

export interface BirthRequest {
  /** Names container and bundle; no other birth under way has it. */
  readonly id: string;
  readonly image: string;
  readonly config: string;
  readonly without: LeftOut;
}

/** How far to go. */
export interface Way {
  readonly how: 'step' | 'continue' | 'skip';
  readonly breakpoints: readonly number[];
  readonly until?: number | undefined;
}

type Answer = 'continue' | 'skip' | 'abort';

const SIGKILL = 9;
const OUTPUT_BYTES = 65_536;

export class Birth {
  readonly #request: BirthRequest;
  readonly #runtime: Runtime;
  readonly #outcomes: OperationOutcome[] = [];
  readonly #warnings: readonly string[];
  #status: BirthView['status'] = 'stopped';
  #operations: readonly PlannedOperation[] = [];
  #bundle: Bundle | undefined;
  #way: Way = { how: 'continue', breakpoints: [] };
  #at: number | undefined;
  #pid = 0;
  #decide: ((answer: Answer) => void) | undefined;
  #arrived: PromiseWithResolvers<void> = Promise.withResolvers();
  #create: Promise<void> | undefined;
  #failure: unknown;
  #exitCode: number | undefined;
  #undoing = false;

  /** `warnings` is filled by the runtime that the birth was given. */
  constructor(request: BirthRequest, runtime: Runtime, warnings: readonly string[]) {
    this.#request = request;
    this.#runtime = runtime;
    this.#warnings = warnings;
  }

  get status(): BirthView['status'] {
    return this.#status;
  }

  /** Begins, and resolves at the first stop, at `created`, or when it failed: the view tells which. */
  async begin(way: Way): Promise<void> {
    const { id, image, config, without } = this.#request;
    this.#way = way;
    this.#bundle = await makeBundle(id, image, leaveNamespacesOut(config, without.namespaces));
    if (this.#undoing) return await this.#bundle.remove();
    this.#create = this.#perform(this.#bundle);
    await this.#arrived.promise;
  }

  /** Goes on from a stop, to the next. @throws `failed-precondition` / `E_WORKBENCH_BIRTH` */
  async go(way: Way): Promise<void> {
    const decide = this.#decide;
    if (decide === undefined) throw unusable(`the birth is ${this.#status}; it cannot go on`, 'E_WORKBENCH_BIRTH');
    this.#way = way;
    this.#arrived = Promise.withResolvers();
    this.#decide = undefined;
    decide(way.how === 'skip' ? 'skip' : 'continue');
    await this.#arrived.promise;
  }

  /** Lets the program begin. @throws why the birth failed, where it did; `failed-precondition` unless created */
  async start(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#status !== 'created')
      throw unusable(`the birth is ${this.#status}; only a whole container can be started`, 'E_WORKBENCH_BIRTH');
    await this.#runtime.start(this.#request.id);
    this.#status = 'running';
  }

  /** Resolves when the program has ended; false when it did not within the time. */
  async ended(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (this.#status === 'running') {
      const exit = await readExit(this.#bundle?.shimDir ?? '');
      if (exit !== undefined) {
        this.#exitCode = exit.exitCode;
        this.#status = 'ended';
      } else if (performance.now() > deadline) return false;
      else await delay(20);
    }
    return true;
  }

  async view(): Promise<BirthView> {
    const process = this.#pid > 0 && this.#status !== 'undone' ? await viewProcess(this.#pid) : undefined;
    const output = this.#status === 'running' || this.#status === 'ended' ? await this.output() : undefined;
    return {
      birth: this.#request.id,
      status: this.#status,
      ...(this.#at === undefined ? {} : { at: this.#at }),
      operations: [...this.#operations],
      warnings: [...this.#warnings],
      outcomes: [...this.#outcomes],
      ...(process === undefined ? {} : { process }),
      ...(this.#failure === undefined ? {} : { failure: toFailure(this.#failure) }),
      ...(this.#exitCode === undefined ? {} : { exitCode: this.#exitCode }),
      ...(output === undefined ? {} : { output: output.all }),
    };
  }

  /** What the program wrote so far. */
  async output(): Promise<{ readonly all: string; readonly stdout: string; readonly stderr: string }> {
    return await readShimLog(`${this.#bundle?.shimDir}/log`, OUTPUT_BYTES);
  }

  /** Ends it wherever it is and removes all that it made. Idempotent. */
  async undo(): Promise<void> {
    this.#undoing = true;
    const ids = this.#pid > 0 ? findNamespaces(this.#pid) : undefined;
    this.#decide?.('abort');
    this.#decide = undefined;
    await this.#create;
    await this.#runtime.delete(this.#request.id, { force: true });
    await endStrays(ids);
    await this.#bundle?.remove();
    this.#bundle = undefined;
    this.#at = undefined;
    if (this.#status !== 'failed') this.#status = 'undone';
    this.#arrived.resolve();
  }

  async #perform(bundle: Bundle): Promise<void> {
    const { path, shimDir } = bundle;
    const shim = { mode: 'shim', dir: shimDir, terminal: terminalOf(this.#request.config), openStdin: false, stdinOnce: false } as const;
    try {
      const { pid } = await this.#runtime.create({
        id: this.#request.id,
        bundle: path,
        supervision: { ...shim, logPath: `${shimDir}/log`, logMaxBytes: 1_048_576 },
        breakpoints: (operations) => {
          this.#operations = describePlan(operations);
          return operations.map((_operation, index) => index);
        },
        onStop: (stop) => this.#stopAt(stop),
        onOperation: ({ record: { index, startMs, endMs, errno, call, skipped = false } }) =>
          this.#outcomes.push({ index, startMs, endMs, errno, ...(call === undefined ? {} : { call }), skipped }),
      });
      this.#pid = pid;
      this.#status = 'created';
    } catch (error) {
      this.#status = this.#undoing ? 'undone' : 'failed';
      if (!this.#undoing) this.#failure = error;
      this.#pid = 0;
    }
    this.#at = undefined;
    this.#arrived.resolve();
  }

  #stopAt({ index, pid }: { readonly index: number; readonly pid: number }): Promise<Answer> {
    this.#pid = pid;
    if (this.#undoing) return Promise.resolve('abort');
    if (this.#request.without.operations.includes(index)) return Promise.resolve('skip');
    if (this.#passes(index)) return Promise.resolve('continue');
    this.#at = index;
    return new Promise((resolve) => {
      this.#decide = resolve;
      this.#arrived.resolve();
    });
  }

  #passes(index: number): boolean {
    const { how, until, breakpoints } = this.#way;
    if (until !== undefined) return index < until;
    return how === 'continue' && !breakpoints.includes(index);
  }
}

/** Shells that somebody opened in it, and children that left both its cgroup and its pid namespace. */
async function endStrays(ids: NamespaceIds | undefined): Promise<void> {
  const ours = findNamespaces('self');
  const mine = ids?.mnt;
  if (mine === undefined || mine === ours?.mnt) return;
  for (const pid of listPids()) {
    if (findNamespaces(pid)?.mnt !== mine) continue;
    try {
      process.kill(pid, SIGKILL);
    } catch (error) {
      if (!isErrno(error, 'ESRCH')) throw error; // it ended meanwhile
    }
  }
}

/** The runtime reads the document itself; whether it wants a terminal has to be known to whoever supervises. */
function terminalOf(config: string): boolean {
  try {
    const { process } = JSON.parse(config) as { readonly process?: { readonly terminal?: unknown } };
    return process?.terminal === true;
  } catch {
    return false;
  }
}
