/**
 * Writes a program from its end to its beginning.
 *
 * Knows: that jumps lead forwards only, and conditional ones over 255 instructions at most. Whatever an instruction leads to has been
 *   written before it, so distances are known at once; what says the same as something written is not written again.
 * Does not know: what a program decides.
 */
import { type Instruction, Op, returns } from './bpf.ts';

/** Where an instruction stands, counted from the program's end. */
export type Place = number;

/** Both offsets of a conditional jump are bytes. */
const JUMP_MAX = 255;

export interface Test {
  readonly code: number;
  readonly k: number;
  readonly whenTrue: Place;
  readonly whenFalse: Place;
}

export class Assembler {
  readonly #backwards: Instruction[] = [];
  readonly #written = new Map<string, Place>();
  /** Place → the last bridge that was written to it. */
  readonly #bridges = new Map<Place, Place>();

  /** Ends the program with a value. */
  returns(value: number): Place {
    return this.#once(`return ${value}`, () => returns(value));
  }

  /** Does one thing to the accumulator, and goes on. */
  step(instruction: Instruction, next: Place): Place {
    return this.#once(`${instruction.code} ${instruction.k} ${next}`, () => {
      if (this.#distance(next) > 0) this.#bridge(next);
      return instruction;
    });
  }

  /** Compares the accumulator. Costs least where one of both ways was written last: the kernel makes two jumps of one otherwise. */
  test({ code, k, whenTrue, whenFalse }: Test): Place {
    if (whenTrue === whenFalse) return whenTrue;
    return this.#once(`${code} ${k} ${whenTrue} ${whenFalse}`, () => {
      // The bridge of the second may stand between us and the first.
      const first = this.#within(whenFalse, JUMP_MAX - 1);
      const second = this.#within(whenTrue, JUMP_MAX);
      return { code, k, jt: this.#distance(second), jf: this.#distance(first) };
    });
  }

  /** From the first instruction, which is the one written last, to the end. */
  finish(): Instruction[] {
    return this.#backwards.toReversed();
  }

  #once(key: string, make: () => Instruction): Place {
    const known = this.#written.get(key);
    if (known !== undefined) return known;
    const place = this.#append(make());
    this.#written.set(key, place);
    return place;
  }

  #append(instruction: Instruction): Place {
    return this.#backwards.push(instruction) - 1;
  }

  /** How many instructions the next one to be written would jump over. */
  #distance(place: Place): number {
    return this.#backwards.length - place - 1;
  }

  /** The place itself, or one that leads there. */
  #within(place: Place, reach: number): Place {
    const near = this.#bridges.get(place) ?? place;
    return this.#distance(near) <= reach ? near : this.#bridge(place);
  }

  /** An end is its own bridge. */
  #bridge(place: Place): Place {
    const target = this.#backwards[place];
    const jump = { code: Op.jump, jt: 0, jf: 0, k: this.#distance(place) };
    const bridge = this.#append(target?.code === Op.return ? target : jump);
    this.#bridges.set(place, bridge);
    return bridge;
  }
}
