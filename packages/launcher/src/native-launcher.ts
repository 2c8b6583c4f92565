/**
 * The launcher over the C program in native/: one process per launch, a plan in, records out.
 *
 * Knows: which file descriptor carries what, and when a launch is over.
 * Does not know: the bytes of a plan (encode.ts), nor what records mean (launch-talk.ts).
 */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { EngineError } from '@slipway/errors';
import { guardDevices } from './device-guard.ts';
import { encodePlan } from './encode.ts';
import type { GivenProcess } from './given-launcher.ts';
import { LaunchTalk } from './launch-talk.ts';
import type { Launched, Launcher, LaunchOptions } from './launcher.ts';
import { LauncherProgram } from './launcher-program.ts';
import type { Plan } from './operations.ts';
import { PreparedProcess } from './prepared.ts';
import type { LauncherRecord } from './records.ts';

const builtBinary = () => fileURLToPath(new URL('../build/slipway-launcher', import.meta.url));

/** Beyond `timeoutMs`, for the program to notice by itself and to say where it was. */
const WATCHDOG_GRACE_MS = 1000;

/** A rehearsal is read as a plan, and has no streams. */
const NOT_LAUNCHED: LaunchOptions = { supervision: { mode: 'detached', stdio: [0, 1, 2] } };

export interface NativeLauncherOptions {
  /** Path of the C program; default: the one that `make -C packages/launcher/native` builds. */
  readonly binary?: string;
  /** `<op>:<error|kill|hang>`: makes that operation fail. Only the test build of the program looks at it. */
  readonly failpoint?: string;
  /** A program that has been started already, for the first launch that it suits. */
  readonly given?: GivenProcess;
}

/** A launcher that runs the C program. Holds one file descriptor after the first launch: make one for a whole process. */
export function createLauncher(options: NativeLauncherOptions = {}): Launcher {
  const { binary = builtBinary(), failpoint, given } = options;
  const program = new LauncherProgram({ binary, failpoint });
  return {
    launch: async (plan, launchOptions) => {
      const bytes = encodePlan(plan, launchOptions);
      if (given?.suits(launchOptions) === true) return given.launch(bytes, plan, launchOptions);
      const ahead = launchOptions.prepared instanceof PreparedProcess ? launchOptions.prepared.take() : undefined;
      const child = ahead ?? program.start(launchOptions.supervision);
      return new Launch(child, plan, launchOptions, () => program.keep(child)).run(bytes);
    },
    guardDevices: (cgroup, deviceProgram) => guardDevices(program.startRole('guard-devices', cgroup), { cgroup, program: deviceProgram }),
    prepare: (procsFiles, rehearsal) => {
      const bytes = rehearsal === undefined ? undefined : encodePlan(rehearsal, NOT_LAUNCHED);
      return new PreparedProcess(program.startAhead(procsFiles, bytes !== undefined), bytes);
    },
  };
}

/** One launch under way: turns records into callbacks and, in the end, into a promise's result. */
class Launch {
  readonly #child: ChildProcess;
  readonly #options: LaunchOptions;
  readonly #talk: LaunchTalk;
  readonly #result = Promise.withResolvers<Launched>();
  readonly #exit = Promise.withResolvers<number>();
  readonly #control: Duplex;
  readonly #heard: () => void;
  #launched = false;
  #watchdog: NodeJS.Timeout | undefined;
  #hung = false;

  /** `heard` is called when the first record has come. */
  constructor(child: ChildProcess, plan: Plan, options: LaunchOptions, heard: () => void) {
    this.#child = child;
    this.#heard = heard;
    this.#options = options;
    this.#control = stream(child, 5);
    this.#talk = new LaunchTalk(plan, options, {
      answer: (letter) => void (this.#control.destroyed || this.#control.write(letter)),
      launched: (record) => this.#resolve(record),
      failed: (error) => this.#result.reject(error),
      hangUp: () => void this.#control.destroy(),
    });
  }

  run(bytes: Uint8Array): Promise<Launched> {
    const records = stream(this.#child, 4);
    const input = stream(this.#child, 3);
    this.#child.on('error', (error) => this.#result.reject(notStarted(error)));
    this.#child.on('exit', (code, signal) => this.#exit.resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    // 'close' comes after the last record has been read.
    this.#child.on('close', () => this.#ended());
    for (const each of [input, records, this.#control]) each.on('error', () => undefined); // the exit says why
    records.on('data', (chunk: Buffer) => {
      this.#heard();
      this.#talk.hear(chunk).catch((error: unknown) => this.#result.reject(error));
    });
    this.#watch();
    // A launcher that fails early closes its end before we are done writing: its record tells the reason. Ours stays open until the launch
    // is over: the program's answer to its end would wake us while the container is being born, on the same processor.
    input.write(bytes);
    return this.#result.promise;
  }

  /**
   * The program keeps the time itself while its child works. What it does with its own hands (a source on a file system that
   * does not answer) can hold it up: then it is ended, and the child with it.
   */
  #watch(): void {
    const { timeoutMs = 0 } = this.#options;
    if (timeoutMs === 0) return;
    this.#watchdog = setTimeout(() => {
      this.#hung = true;
      this.#child.kill('SIGKILL');
    }, timeoutMs + WATCHDOG_GRACE_MS);
  }

  #resolve({ pid, startTime }: LauncherRecord): void {
    const mode = this.#options.supervision.mode;
    this.#launched = true;
    clearTimeout(this.#watchdog);
    this.#release();
    this.#result.resolve({
      pid,
      startTime,
      ...(mode === 'shim' && this.#child.pid !== undefined ? { shimPid: this.#child.pid } : {}),
      ...(mode === 'foreground' ? { exit: this.#exit.promise } : {}),
    });
  }

  /** The container's life is its own: neither its shim nor the wait for its start keeps our process running. */
  #release(): void {
    stream(this.#child, 3).destroy();
    this.#control.destroy();
    if (this.#options.supervision.mode !== 'foreground') this.#child.unref();
    const records = stream(this.#child, 4);
    if ('unref' in records && typeof records.unref === 'function') records.unref();
  }

  #ended(): void {
    clearTimeout(this.#watchdog);
    if (this.#launched) return;
    if (this.#hung && !this.#talk.hasFailed) {
      this.#result.reject(hung(this.#options.timeoutMs));
      return;
    }
    this.#result.reject(this.#talk.reason(String(this.#child.exitCode ?? this.#child.signalCode)));
  }
}

/** A 'pipe' of `stdio`: a socket, both ways. */
function stream(child: ChildProcess, fd: number): Duplex {
  const found = child.stdio[fd];
  if (found === null || found === undefined) throw notStarted();
  return found as Duplex;
}

function notStarted(cause?: unknown): EngineError {
  return new EngineError('failed-precondition', 'the launcher program cannot be started', {
    code: 'E_LAUNCH_NO_BINARY',
    op: 'launcher.launch',
    hint: 'build it: make -C packages/launcher/native',
    cause,
  });
}

function hung(timeoutMs = 0): EngineError {
  return new EngineError('unavailable', `the launcher program did not get on within ${timeoutMs} ms`, {
    code: 'E_LAUNCH_TIMEOUT',
    op: 'launcher.launch',
    hint: 'a path of the host that does not answer holds it up: a bind source, a namespace file',
  });
}
