/**
 * Builds every Dockerfile of the corpus with our engine and with Debian's buildah, and prints what is otherwise in the two images.
 *
 *     npm run builds [-- PART-OF-A-NAME]      (needs root)
 *
 * Knows: how it is printed, and when it has failed.
 * Does not know: how anything is built (apps/slipwayd/src/testing/build-comparison.ts).
 */
import { BuildComparison, type Difference } from '../apps/slipwayd/src/testing/build-comparison.ts';
import type { DockerfileCase } from '../apps/slipwayd/src/testing/dockerfile-case.ts';
import { CORPUS } from '../apps/slipwayd/src/testing/dockerfile-corpus.ts';

const wanted = CORPUS.filter(({ name }) => name.includes(process.argv[2] ?? ''));
let failed = 0;
await using comparison = await BuildComparison.start();
for (const each of wanted) {
  const outcome = await comparison.compare(each).then(
    (differences) => linesOf(each, differences),
    (error: unknown) => [`  ! ${error instanceof Error ? error.message.slice(0, 1000) : String(error)}`],
  );
  const isWrong = outcome.some((line) => line.startsWith('  !'));
  failed += Number(isWrong);
  process.stdout.write(`${[`${isWrong ? 'WRONG' : 'as said'}  ${each.name}`, ...outcome].join('\n')}\n`);
}
process.stdout.write(`${wanted.length} Dockerfiles, ${failed} otherwise than the corpus says\n`);
process.exitCode = failed > 0 ? 1 : 0;

function linesOf({ differs = {} }: DockerfileCase, differences: readonly Difference[]): readonly string[] {
  const missing = Object.keys(differs).filter((what) => !differences.some((each) => each.what === what));
  return [
    ...differences.map(({ what, ours, theirs }) =>
      differs[what] === undefined
        ? `  ! ${what}: ours ${JSON.stringify(ours)}, theirs ${JSON.stringify(theirs)}`
        : `    ${what}: ${differs[what]}`,
    ),
    ...missing.map((what) => `  ! ${what} is the same, and was said to differ`),
  ];
}
