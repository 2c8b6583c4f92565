/**
 * `npm run docs:gen`: writes docs/attacks.md, or says what is missing and writes nothing.
 *
 * Knows: where tests and the page lie.
 * Does not know: what an attack needs (attacks/page.ts).
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { ATTACKS } from './attacks/catalogue.ts';
import { type AttackPage, planAttackPage } from './attacks/page.ts';
import { findEvidence } from './attacks/scan.ts';

export const PAGE = 'docs/attacks.md';
const TESTS = ['{packages,apps}/*/src/**/*.test.ts', 'scripts/v2/inside/*.ts'];

/** The page that belongs to this checkout. */
export function planPage(): AttackPage {
  const tests = globSync(TESTS).sort();
  return planAttackPage(
    ATTACKS,
    tests.flatMap((path) => findEvidence({ path, text: readFileSync(path, 'utf8') })),
  );
}

if (import.meta.main) {
  const { text, problems } = planPage();
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  if (problems.length > 0) process.exit(1);
  writeFileSync(PAGE, text);
}
