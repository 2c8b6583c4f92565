/**
 * The C program as a process: started when it is needed, or a little before.
 *
 * Knows: what to execute, with which descriptors and environment.
 * Does not know: plans and records (native-launcher.ts).
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { openSync, readlinkSync } from 'node:fs';
import type { Supervision } from './launcher.ts';

export interface LauncherProgramOptions {
  readonly binary: string;
  /** `<op>:<error|kill|hang>`, for the test build. */
  readonly failpoint: string | undefined;
}

/** What `ps` shows of a prepared one, long enough for the program to write the directory of its container over it. */
const SPARE_NOTE = 'waits for the next container'.padEnd(250);

export class LauncherProgram {
  readonly #options: LauncherProgramOptions;
  #sealed: number | undefined;

  constructor(options: LauncherProgramOptions) {
    this.#options = options;
  }

  /** A process that waits for its plan. */
  start(supervision: Supervision): ChildProcess {
    const shim = supervision.mode === 'shim';
    return this.#spawn({
      argv: shim ? ['slipway-shim', supervision.dir] : ['slipway-launcher'],
      env: {},
      detached: shim,
      stdio: stdioFor(supervision),
    });
  }

  /** The same for a shim whose container nobody has asked for yet; `rehearses`: a plan to rehearse is sent first. */
  startAhead(procsFiles: readonly string[], rehearses: boolean): ChildProcess {
    return this.#spawn({
      argv: ['slipway-launcher', SPARE_NOTE],
      env: {
        ...(procsFiles.length === 0 && !rehearses ? {} : { CRADLE: procsFiles.join('\n') }),
        ...(rehearses ? { REHEARSAL: 'first' } : {}),
      },
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    });
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

  #spawn(start: Start): ChildProcess {
    const { binary, failpoint } = this.#options;
    const [argv0, ...args] = start.argv;
    return spawn(this.#sealed === undefined ? binary : `/proc/self/fd/${this.#sealed}`, args, {
      argv0,
      cwd: '/',
      // Nothing of our environment reaches a process that runs as root beside untrusted files.
      env: { ...start.env, ...(failpoint === undefined ? {} : { FAILPOINT: failpoint }) },
      // A shim must not hear the signals of its starter's terminal or process group.
      detached: start.detached,
      stdio: start.stdio,
    });
  }
}

interface Start {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly detached: boolean;
  readonly stdio: StdioOptions;
}

/** 0-2 the process's, 3 plan, 4 records, 5 control, then what is to be handed on. */
function stdioFor(supervision: Supervision): StdioOptions {
  const streams = supervision.mode === 'shim' ? ['ignore', 'ignore', 'ignore'] : supervision.stdio;
  const preserved = supervision.mode === 'shim' ? 0 : (supervision.preserveFds ?? 0);
  return [...streams, 'pipe', 'pipe', 'pipe', ...Array.from({ length: preserved }, (_, i) => 3 + i)] as StdioOptions;
}
