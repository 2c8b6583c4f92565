/**
 * What is said about one launch: records become callbacks, questions get answers, and the end a reason.
 *
 * Knows: what each record means for the caller.
 * Does not know: over which pipes it is said (native-launcher.ts, given-launcher.ts); what a failure means to people (failure.ts).
 */
import { EngineError } from '@slipway/errors';
import { launchError } from './failure.ts';
import type { LaunchOptions } from './launcher.ts';
import type { OperationRecord, Plan } from './operations.ts';
import { type LauncherRecord, NO_OPERATION, RecordReader } from './records.ts';

/** Letters on the control fd. Twin of native/report.c. */
const ANSWERS = { continue: 'c', step: 's', skip: 'x', abort: 'a' } as const;

export interface TalkEnds {
  /** Sends a letter to the program, unless it is not there any more. */
  answer(letter: string): void;
  launched(record: LauncherRecord): void;
  /** The launch has failed for a reason of ours; the program will end. */
  failed(error: unknown): void;
  /** Nothing that the program says can be relied on. */
  hangUp(): void;
}

export class LaunchTalk {
  readonly #plan: Plan;
  readonly #options: LaunchOptions;
  readonly #ends: TalkEnds;
  readonly #reader = new RecordReader();
  #failure: LauncherRecord | undefined;
  #notes = '';

  constructor(plan: Plan, options: LaunchOptions, ends: TalkEnds) {
    this.#plan = plan;
    this.#options = options;
    this.#ends = ends;
  }

  /** True once the program has said what failed. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Resolves when what the program asked in `chunk` is answered; nothing follows a question before that. */
  async hear(chunk: Uint8Array): Promise<void> {
    let records: LauncherRecord[];
    try {
      records = this.#reader.push(chunk);
    } catch (error) {
      this.#ends.failed(crashed(`unreadable record: ${String(error)}`));
      return this.#ends.hangUp();
    }
    for (const record of records) {
      if (record.kind === 'stop') await this.#stopped(record);
      else if (record.kind === 'hook') await this.#hook(record);
      else this.#note(record);
    }
  }

  /** Why the program ended before the process was launched. `how` it did is said where it gave no reason. */
  reason(how: string): EngineError {
    const record = this.#failure;
    if (record === undefined) return crashed(`it ended with ${how}`);
    const operation = this.#plan.operations[record.index];
    const { index, call, errno } = record;
    const output = Buffer.from(this.#notes, 'latin1').toString('utf8').trim().slice(0, 500);
    return launchError(operation, { index, op: operation?.op ?? '', call, errno, ...(output === '' ? {} : { output }) });
  }

  #note(record: LauncherRecord): void {
    if (record.kind === 'note') this.#notes += record.note;
    else if (record.kind === 'launched') this.#ends.launched(record);
    else if (record.kind !== 'ready') {
      if (record.kind === 'failed') this.#failure = record;
      if (record.index !== NO_OPERATION) this.#options.onRecord?.(operationRecord(record));
    }
  }

  async #stopped({ index, pid }: LauncherRecord): Promise<void> {
    let answer: keyof typeof ANSWERS = 'abort';
    try {
      answer = (await this.#options.onStop?.({ index, pid })) ?? 'continue';
    } catch (error) {
      // Whoever decides cannot: nothing half-born may stay behind for them.
      this.#ends.failed(error);
    }
    this.#ends.answer(ANSWERS[answer]);
  }

  async #hook({ index, pid }: LauncherRecord): Promise<void> {
    let answer: keyof typeof ANSWERS = 'abort';
    try {
      if (this.#options.onHook === undefined) throw crashed('a hook, and nobody to run it');
      await this.#options.onHook({ index, pid });
      answer = 'continue';
    } catch (error) {
      this.#ends.failed(error);
    }
    this.#ends.answer(ANSWERS[answer]);
  }
}

function operationRecord({ kind, index, startMs, endMs, errno, call, ahead }: LauncherRecord): OperationRecord {
  return {
    index,
    startMs,
    endMs,
    errno,
    ...(call === '' ? {} : { call }),
    ...(kind === 'skipped' ? { skipped: true } : {}),
    ...(ahead === undefined ? {} : { ahead }),
  };
}

function crashed(what: string): EngineError {
  return new EngineError('internal', `the launcher program failed without a word: ${what}`, {
    code: 'E_LAUNCH_CRASHED',
    op: 'launcher.launch',
  });
}
