/**
 * The specification's statements with what sources claim about them, and what does not add up.
 *
 * Knows: when a statement is settled: code and a proof where it is implemented, a proof where it is refused, neither elsewhere.
 * Does not know: how statements, claims and proofs were found; how they are shown (page.ts).
 */
import type { Tag } from './scan.ts';
import type { Chapter, Statement } from './statements.ts';

export type Answer = 'implemented' | 'refused' | 'not' | 'author';

export interface Entry extends Statement {
  /** `config.md#mounts/order`. */
  readonly id: string;
  readonly level: 'MUST' | 'SHOULD';
  readonly says: string;
  readonly answer: Answer;
  /** Why it is not implemented; '' where it is. */
  readonly reason: string;
  readonly code: readonly Tag[];
  readonly proofs: readonly Tag[];
}

export interface Ledger {
  readonly entries: readonly Entry[];
  /** Sentences that name the fault; empty when all is well. */
  readonly problems: readonly string[];
}

/** Joins statements with claims and proofs. */
export function planLedger(chapters: readonly Chapter[], claims: readonly Tag[], proofs: readonly Tag[]): Ledger {
  const entries = chapters.flatMap(({ document, statements }) =>
    Object.entries(statements).map(([name, statement]) => planEntry(`${document}#${name}`, statement, { claims, proofs })),
  );
  return { entries, problems: [...findUnknown(entries, [...claims, ...proofs]), ...entries.flatMap(findProblems)] };
}

function planEntry(id: string, statement: Statement, tags: { claims: readonly Tag[]; proofs: readonly Tag[] }): Entry {
  const { must, should, refused, not, author } = statement;
  const own = tags.claims.filter((tag) => tag.id === id);
  return {
    ...statement,
    id,
    level: must === undefined ? 'SHOULD' : 'MUST',
    says: must ?? should ?? '',
    answer: refused !== undefined ? 'refused' : not !== undefined ? 'not' : author !== undefined ? 'author' : 'implemented',
    reason: refused ?? not ?? author ?? '',
    code: own.length > 0 ? own : tags.claims.filter((tag) => tag.id === sectionOf(id)),
    proofs: tags.proofs.filter((tag) => tag.id === id),
  };
}

export function sectionOf(id: string): string {
  return id.split('/')[0] ?? id;
}

function findUnknown(entries: readonly Entry[], tags: readonly Tag[]): string[] {
  const known = new Set(entries.flatMap(({ id }) => [id, sectionOf(id)]));
  return tags
    .filter(({ id }) => !known.has(id))
    .map(({ id, path, name }) => `${path}${name && ` (${name})`} names ${id}, which is no statement in tooling/runtime-spec`);
}

function findProblems({ id, answer, code, proofs, must, should }: Entry): string[] {
  const problems: string[] = [];
  if ((must === undefined) === (should === undefined)) problems.push(`${id} needs one of must and should`);
  const settled = answer === 'implemented' || answer === 'refused';
  if (settled && proofs.length === 0) problems.push(`${id} is claimed to be ${answer}, and no test says it proves it`);
  if (!settled && proofs.length > 0) problems.push(`${id} is said not to concern the code, and ${proofs[0]?.path} says it proves it`);
  if (answer === 'implemented' && code.length === 0)
    problems.push(`${id} is claimed to be implemented, and no code has an @spec for it or its section`);
  return problems;
}
