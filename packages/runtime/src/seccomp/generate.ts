/**
 * Policies → instructions.
 *
 * Knows: what comes first: a call's number means nothing before its architecture is known.
 * Does not know: where a policy came from, or how a number's verdict is found (decide.ts, compare.ts).
 *
 *     load arch ─ x86_64? ─▶ load nr ─ comparisons ─▶ allow, deny or a look at arguments
 *               ─ i386?   ─▶ load nr ─ comparisons ─▶ …
 *               ─ else    ─▶ kill
 */
import { Assembler } from './assemble.ts';
import { DATA_ARCH, DATA_NUMBER, type Instruction, load, Op, Return } from './bpf.ts';
import { writeVerdict } from './compare.ts';
import { decide } from './decide.ts';
import type { Policy } from './policy.ts';

/** A whole program. A call in a mode that no policy covers kills the process: its numbers mean other calls. */
export function generateProgram(policies: readonly Policy[]): Instruction[] {
  const assembler = new Assembler();
  const kill = assembler.returns(Return.killProcess);
  const entry = policies.reduceRight((whenFalse, { architecture, ranges }) => {
    const goals = ranges.map(({ first, verdict }) => ({ first, goal: writeVerdict(assembler, verdict) }));
    const whenTrue = assembler.step(load(DATA_NUMBER), decide(assembler, goals));
    return assembler.test({ code: Op.jumpEqual, k: architecture.audit, whenTrue, whenFalse });
  }, kill);
  assembler.step(load(DATA_ARCH), entry);
  return assembler.finish();
}
