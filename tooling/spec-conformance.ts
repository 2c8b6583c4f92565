/**
 * `npm run docs:gen`: writes docs/spec-conformance.md, or says what does not add up and writes nothing.
 *
 * Knows: where sources and the page lie.
 * Does not know: what is compared and how it looks (runtime-spec/).
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { DIFFERENCES } from '../apps/cli/src/runc/testing/differences.ts';
import { FAULTS, type Fault } from '../apps/cli/src/runc/testing/faults.ts';
import { FIELDS } from '../apps/cli/src/runc/testing/fields.ts';
import { type Ledger, PEERS, planLedger } from './runtime-spec/ledger.ts';
import { formatPage } from './runtime-spec/page.ts';
import { findClaims, findProofs, type Proof, type Source } from './runtime-spec/scan.ts';
import { CHAPTERS } from './runtime-spec/statements.ts';

export const PAGE = 'docs/spec-conformance.md';
const SOURCES = ['{packages,apps}/*/src/**/*.{ts,tsx}', 'packages/launcher/native/*.{c,h}', 'scripts/v2/inside/*.ts'];

/** The ledger of this checkout, and the page that belongs to it. */
export function planPage(): { readonly ledger: Ledger; readonly page: string } {
  const sources: Source[] = globSync(SOURCES)
    .sort()
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
  const isTest = ({ path }: Source) => path.includes('.test.') || path.includes('/v2/inside/');
  const claims = sources.filter((source) => !isTest(source)).flatMap(findClaims);
  const proofs = [...sources.filter(isTest).flatMap(findProofs), ...proofsOf('faults', FAULTS), ...proofsOf('fields', FIELDS)];
  const ledger = planLedger(CHAPTERS, { claims, proofs }, DIFFERENCES);
  return { ledger, page: formatPage(ledger, Object.values(DIFFERENCES)) };
}

/** Each row of such a table is a test of its own, on every runtime. */
function proofsOf(table: string, rows: readonly Pick<Fault, 'proves' | 'what' | 'difference'>[]): Proof[] {
  const path = `apps/cli/src/runc/${table}.host.test.ts`;
  return rows.flatMap(({ proves, what, difference }) => {
    const differences = difference === undefined ? [] : [difference];
    return proves.map((id) => ({ id, path, name: what, peers: PEERS, differences }));
  });
}

if (import.meta.main) {
  const { ledger, page } = planPage();
  for (const problem of ledger.problems) process.stderr.write(`${problem}\n`);
  if (ledger.problems.length > 0) process.exit(1);
  writeFileSync(PAGE, page);
}
