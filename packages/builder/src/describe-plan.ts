/**
 * A Dockerfile's stages and steps as a picture of the build needs them, before anything is built.
 *
 * Knows: which stages need which, as far as the text tells; how much fits into a payload.
 * Does not know: what becomes of them.
 */
import type { Instruction, Stage } from '@slipway/dockerfile';
import type { BuildPlanResponse } from '@slipway/journal';

/** Below what a span's payload takes. */
const MAX_CHARACTERS = 7500;
const TEXT_LENGTHS = [160, 80, 40, 0];

export function describePlan(stages: readonly Stage[], target: Stage): BuildPlanResponse {
  const plans = TEXT_LENGTHS.map((length) => toPlan(stages, target, length));
  return plans.find((plan) => JSON.stringify(plan).length <= MAX_CHARACTERS) ?? { target: target.index, stages: [] };
}

/** Without steps where there is no room for their texts. */
function toPlan(stages: readonly Stage[], target: Stage, length: number): BuildPlanResponse {
  return {
    target: target.index,
    stages: stages.map((stage) => ({
      stage: stage.index,
      ...(stage.name === undefined ? {} : { name: stage.name.slice(0, 60) }),
      from: stage.from.slice(0, 100),
      line: stage.fromLine,
      needs: [
        ...new Set([...(stage.fromStage === undefined ? [] : [stage.fromStage]), ...neededStages(stage, stages).map(({ index }) => index)]),
      ],
      steps:
        length === 0
          ? []
          : stage.instructions.map((instruction) => ({ line: instruction.line, text: describe(instruction).slice(0, length) })),
    })),
  };
}

/** Stages that this one names in `--from`, before anything is expanded: a guess that costs nothing when it is wrong. */
export function neededStages(stage: Stage, stages: readonly Stage[]): readonly Stage[] {
  const names = stage.instructions.flatMap(({ flags }) =>
    flags.flatMap(([flag, value]) => (flag === 'from' ? [value] : [...value.matchAll(/from=([^,]+)/g)].map(([, name]) => name ?? ''))),
  );
  return stages
    .slice(0, stage.index)
    .filter(({ name, index }) => names.includes(String(index)) || (name !== undefined && names.includes(name)));
}

/** An instruction as it was written, on one line; `history` shows the same. */
export function describe({ keyword, flags, text }: Instruction): string {
  const shown = flags.map(([name, value]) => `--${name}${value === '' ? '' : `=${value}`} `).join('');
  return `${keyword} ${shown}${text}`;
}
