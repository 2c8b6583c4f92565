/**
 * The C program as a process: started when it is needed, or a little before.
 *
 * Knows: what to execute, with which descriptors, and how one process is kept ready for the next launch under a shim.
 * Does not know: plans and records (native-launcher.ts).
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { openSync, readlinkSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import type { Supervision } from './launcher.ts';

export interface LauncherProgramOptions {
  readonly binary: string;
  /** `<op>:<error|kill>`, for the test build. */
  readonly failpoint: string | undefined;
  readonly keepSpare: boolean;
}

/** Begins once the launch before has had its time: starting a process holds up this one for some milliseconds. */
const REFILL_MS = 20;

/** What `ps` shows of a spare, long enough for the program to write the directory of its container over it. */
const SPARE_NOTE = 'waits for the next container'.padEnd(250);

/**
 * A spare is what the next launch would start, started already: forking a process of our size is by far the longest step of a
 * birth. It has read nothing and done nothing but seal itself; its plan's end of file, when we end, ends it too.
 */
export class LauncherProgram {
  readonly #options: LauncherProgramOptions;
  #sealed: number | undefined;
  #spare: ChildProcess | undefined;

  constructor(options: LauncherProgramOptions) {
    this.#options = options;
    if (options.keepSpare) this.#refill();
  }

  /** A process that waits for its plan. */
  start(supervision: Supervision): ChildProcess {
    if (supervision.mode !== 'shim') return this.#spawn(supervision, []);
    const child = this.#takeSpare() ?? this.#spawn(supervision, [supervision.dir]);
    if (this.#options.keepSpare) setTimeout(() => this.#refill(), REFILL_MS).unref();
    return child;
  }

  /** A process that does one thing without a plan and ends. */
  startRole(...words: readonly string[]): ChildProcess {
    const stdio = ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] as const;
    return spawn(this.#options.binary, words, { argv0: 'slipway-launcher', cwd: '/', env: {}, stdio: [...stdio] });
  }

  /**
   * To be called once the process has spoken, so that it is known to run from the sealed copy it makes of itself (native/seal.c):
   * later ones execute that very copy, and all shims share its pages.
   */
  keep({ pid }: ChildProcess): void {
    if (this.#sealed !== undefined) return;
    try {
      const exe = `/proc/${pid}/exe`;
      if (readlinkSync(exe).startsWith('/memfd:slipway-launcher')) this.#sealed = openSync(exe, 'r');
    } catch {
      // It has ended already, or we may not look: the next launch makes a copy again.
    }
  }

  #takeSpare(): ChildProcess | undefined {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare === undefined || spare.exitCode !== null || spare.signalCode !== null) return undefined;
    setHold(spare, true);
    return spare;
  }

  #refill(): void {
    if (this.#spare !== undefined) return;
    const spare = this.#spawn({ mode: 'shim' }, [SPARE_NOTE]);
    this.#spare = spare;
    const forget = () => {
      if (this.#spare === spare) this.#spare = undefined;
    };
    spare.once('error', forget);
    spare.once('exit', forget);
    setHold(spare, false);
  }

  #spawn(supervision: Supervision | { readonly mode: 'shim' }, args: readonly string[]): ChildProcess {
    const { binary, failpoint } = this.#options;
    const shim = supervision.mode === 'shim';
    const isSpare = args[0] === SPARE_NOTE;
    return spawn(this.#sealed === undefined ? binary : `/proc/self/fd/${this.#sealed}`, args, {
      argv0: shim && !isSpare ? 'slipway-shim' : 'slipway-launcher',
      cwd: '/',
      // Nothing of our environment reaches a process that runs as root beside untrusted files.
      env: failpoint === undefined ? {} : { FAILPOINT: failpoint },
      // A shim must not hear the signals of its starter's terminal or process group.
      detached: shim,
      stdio: stdioFor(supervision),
    });
  }
}

/** Whether a process and its pipes keep ours running. */
function setHold(child: ChildProcess, hold: boolean): void {
  const pipes = child.stdio.slice(3) as (Duplex & { ref?(): void; unref?(): void })[];
  for (const each of [child, ...pipes]) {
    if (hold) each.ref?.();
    else each.unref?.();
  }
}

/** 0-2 the process's, 3 plan, 4 records, 5 control, then what is to be handed on. */
function stdioFor(supervision: Supervision | { readonly mode: 'shim' }): StdioOptions {
  const streams = supervision.mode === 'shim' ? ['ignore', 'ignore', 'ignore'] : supervision.stdio;
  const preserved = supervision.mode === 'shim' ? 0 : (supervision.preserveFds ?? 0);
  return [...streams, 'pipe', 'pipe', 'pipe', ...Array.from({ length: preserved }, (_, i) => 3 + i)] as StdioOptions;
}
