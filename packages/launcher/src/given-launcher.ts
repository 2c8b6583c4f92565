/**
 * A launcher program that somebody else has started for us, spoken to over descriptors that we were born with.
 *
 * Knows: that one process makes one launch, and that its descriptors block: a command line has nothing else to do meanwhile, and without
 * node:child_process and node:net it starts in two thirds of the time.
 * Does not know: who started it (apps/cli/native); what is said (launch-talk.ts).
 */
import { closeSync, readSync, writeSync } from 'node:fs';
import { LaunchTalk } from './launch-talk.ts';
import type { Launched, LaunchOptions } from './launcher.ts';
import type { Plan } from './operations.ts';
import type { LauncherRecord } from './records.ts';

/** Our ends: the plan's, the records', the answers'. */
export interface GivenDescriptors {
  readonly plan: number;
  readonly records: number;
  readonly control: number;
}

const READ_BYTES = 65_536;

export class GivenProcess {
  readonly #fds: GivenDescriptors;
  #isWaiting = true;

  constructor(fds: GivenDescriptors) {
    this.#fds = fds;
  }

  /** Whether it can still be used, and for this: it has the streams of its starter, and is nobody's shim. */
  suits({ supervision, prepared, timeoutMs }: LaunchOptions): boolean {
    return (
      this.#isWaiting &&
      prepared === undefined &&
      timeoutMs === undefined &&
      supervision.mode !== 'shim' &&
      (supervision.preserveFds ?? 0) === 0 &&
      supervision.stdio.every((fd, index) => fd === index)
    );
  }

  async launch(bytes: Uint8Array, plan: Plan, options: LaunchOptions): Promise<Launched> {
    this.#isWaiting = false;
    let launched: LauncherRecord | undefined;
    let failure: { readonly error: unknown } | undefined;
    const talk = new LaunchTalk(plan, options, {
      answer: (letter) => this.#answer(letter),
      launched: (record) => {
        launched = record;
      },
      failed: (error) => {
        failure ??= { error };
      },
      hangUp: () => closeQuietly(this.#fds.control),
    });
    this.#send(bytes);
    try {
      const buffer = Buffer.allocUnsafe(READ_BYTES);
      while (launched === undefined) {
        const length = readSync(this.#fds.records, buffer, 0, buffer.length, null);
        if (length === 0) throw failure === undefined ? talk.reason('no record') : failure.error;
        await talk.hear(buffer.subarray(0, length));
      }
    } finally {
      for (const fd of [this.#fds.records, this.#fds.control]) closeQuietly(fd);
    }
    if (failure !== undefined) throw failure.error;
    return { pid: launched.pid, startTime: launched.startTime };
  }

  /** Ends it where nobody launched anything with it; returns when it has gone. */
  discard(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    closeSync(this.#fds.plan);
    const rest = Buffer.allocUnsafe(READ_BYTES);
    while (readSync(this.#fds.records, rest, 0, rest.length, null) > 0);
  }

  /** A program that ends early closes its end before we are done writing: its record tells the reason. */
  #send(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fds.plan, bytes, at);
    } catch (error) {
      if (!isBrokenPipe(error)) throw error;
    } finally {
      closeSync(this.#fds.plan);
    }
  }

  #answer(letter: string): void {
    try {
      writeSync(this.#fds.control, letter);
    } catch (error) {
      if (!isBrokenPipe(error)) throw error;
    }
  }
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // closed before
  }
}

function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EPIPE' || error.code === 'ECONNRESET');
}
