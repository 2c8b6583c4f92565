/**
 * A launcher process that was started before its plan is known.
 *
 * Knows: how it says that its cradle stands where it shall, how it is taken, and how it ends unused.
 * Does not know: who will need it (packages/runtime/src/nursery.ts).
 */
import type { ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { PreparedLauncher } from './launcher.ts';
import { RecordReader } from './records.ts';

export class PreparedProcess implements PreparedLauncher {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #reader = new RecordReader();
  #standsInGroups = false;
  #isWaiting = true;

  /** `rehearsal`: what the program reads before its plan. */
  constructor(child: ChildProcess, rehearsal?: Uint8Array) {
    this.#child = child;
    const over = () => {
      this.#isWaiting = false;
    };
    this.#ended = new Promise((resolve) => child.once('close', resolve).once('error', resolve)).finally(over);
    child.once('exit', over);
    for (const stream of this.#streams()) stream.on('error', over);
    this.#records?.on('data', this.#listen);
    if (rehearsal !== undefined) this.#streams()[0]?.write(rehearsal);
    this.#hold(false);
  }

  get standsInGroups(): boolean {
    return this.#standsInGroups;
  }

  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** The process, for the launch it was started for; undefined when it is not there any more. */
  take(): ChildProcess | undefined {
    if (!this.#isWaiting) return undefined;
    this.#isWaiting = false;
    this.#records?.off('data', this.#listen);
    this.#hold(true);
    return this.#child;
  }

  async discard(): Promise<void> {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#hold(true);
    // The end of its plan ends it, and the kernel ends the cradle with it.
    for (const stream of this.#streams()) stream.destroy();
    await this.#ended;
  }

  readonly #listen = (chunk: Buffer): void => {
    this.#standsInGroups ||= this.#reader.push(chunk).some(({ kind }) => kind === 'ready');
  };

  get #records(): Duplex | undefined {
    return this.#streams()[1];
  }

  #streams(): (Duplex & { ref?(): void; unref?(): void })[] {
    return this.#child.stdio.slice(3).filter((stream) => stream !== null && stream !== undefined) as Duplex[];
  }

  /** Whether process and pipes keep ours running. */
  #hold(hold: boolean): void {
    for (const each of [this.#child, ...this.#streams()]) {
      if (hold) each.ref?.();
      else each.unref?.();
    }
  }
}
