/**
 * The kernel's side of a filter, for tests: runs a program on one call.
 *
 * Knows: the instructions of bpf.ts, and what the kernel's checker refuses (jumps out of the program, unknown codes).
 * Does not know: how the program came about.
 */
import { argumentOffsets, DATA_ARCH, DATA_NUMBER, decodeProgram, type Instruction, Op } from '../bpf.ts';

export interface Call {
  readonly arch: number;
  readonly number: number;
  /** Up to six unsigned 64-bit arguments. */
  readonly args: readonly bigint[];
}

export interface Outcome {
  readonly returns: number;
  /** Instructions executed. */
  readonly steps: number;
}

export class Interpreter {
  readonly #program: readonly Instruction[];

  constructor(program: Uint8Array) {
    this.#program = decodeProgram(program);
    for (const [index, { code, jt, jf, k }] of this.#program.entries()) {
      const longest = code === Op.jump ? k : Math.max(jt, jf);
      if (!Object.values(Op).includes(code as never)) throw new Error(`instruction ${index}: unknown code ${code}`);
      if (code !== Op.return && index + longest + 1 >= this.#program.length) throw new Error(`instruction ${index} leaves the program`);
    }
  }

  run(call: Call): Outcome {
    const data = seccompData(call);
    let accumulator = 0;
    let steps = 0;
    for (let at = 0; ; at++) {
      const { code, jt, jf, k } = this.#program[at] ?? { code: -1, jt: 0, jf: 0, k: 0 };
      steps++;
      if (code === Op.return) return { returns: k, steps };
      else if (code === Op.load) accumulator = data.getUint32(k, true);
      else if (code === Op.and) accumulator = (accumulator & k) >>> 0;
      else if (code === Op.jump) at += k;
      else if (code === Op.jumpEqual) at += accumulator === k ? jt : jf;
      else if (code === Op.jumpGreater) at += accumulator > k ? jt : jf;
      else if (code === Op.jumpGreaterOrEqual) at += accumulator >= k ? jt : jf;
      else if (code === Op.jumpAnySet) at += (accumulator & k) !== 0 ? jt : jf;
      else throw new Error(`no instruction at ${at}`);
    }
  }
}

function seccompData({ arch, number, args }: Call): DataView {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(DATA_NUMBER, number, true);
  data.setUint32(DATA_ARCH, arch, true);
  for (const [index, value] of args.entries()) data.setBigUint64(argumentOffsets(index).low, value, true);
  return data;
}
