/**
 * The specification's statements with what sources claim about them, and what does not add up.
 *
 * Knows: when a statement is settled: code and a proof where it is implemented, a proof where it is refused, neither elsewhere.
 * Does not know: how statements, claims and proofs were found; how they are shown (page.ts).
 */
import type { Proof, Tag } from './scan.ts';
import type { Chapter, Statement } from './statements.ts';

export type Answer = 'implemented' | 'refused' | 'not' | 'author';

export interface Entry extends Statement {
  /** `config.md#mounts/order`. */
  readonly id: string;
  readonly level: 'MUST' | 'SHOULD' | 'MAY';
  readonly says: string;
  readonly answer: Answer;
  /** Why it is not implemented; '' where it is. */
  readonly reason: string;
  readonly code: readonly Tag[];
  readonly proofs: readonly Proof[];
  /** What the tests that prove it say of other runtimes. */
  readonly peers: Readonly<Record<Peer, PeerAnswer>>;
}

export const PEERS = ['runc', 'crun'] as const;
export type Peer = (typeof PEERS)[number];

/** `same`: passes the same test. `otherwise`: the test knows a difference. `untried`: no test of it runs on that runtime; the statement says why. */
export type PeerAnswer = 'same' | 'otherwise' | 'untried';

/** Which runtimes a difference is of, by its name. */
type KnownDifferences = Readonly<Record<string, { readonly runtimes: readonly string[] }>>;

interface Tags {
  readonly claims: readonly Tag[];
  readonly proofs: readonly Proof[];
}

export interface Ledger {
  readonly entries: readonly Entry[];
  /** Sentences that name the fault; empty when all is well. */
  readonly problems: readonly string[];
}

/** Joins statements with claims and proofs. */
export function planLedger(chapters: readonly Chapter[], tags: Tags, differences: KnownDifferences = {}): Ledger {
  const entries = chapters.flatMap(({ document, statements }) =>
    Object.entries(statements).map(([name, statement]) => planEntry(`${document}#${name}`, statement, { tags, differences })),
  );
  return { entries, problems: [...findUnknown(entries, [...tags.claims, ...tags.proofs]), ...entries.flatMap(findProblems)] };
}

interface Sources {
  readonly tags: Tags;
  readonly differences: KnownDifferences;
}

function planEntry(id: string, statement: Statement, { tags, differences }: Sources): Entry {
  const proofs = tags.proofs.filter((tag) => tag.id === id);
  const { must, should, may, refused, not, author } = statement;
  const own = tags.claims.filter((tag) => tag.id === id);
  return {
    ...statement,
    id,
    level: must !== undefined ? 'MUST' : should !== undefined ? 'SHOULD' : 'MAY',
    says: must ?? should ?? may ?? '',
    answer: refused !== undefined ? 'refused' : not !== undefined ? 'not' : author !== undefined ? 'author' : 'implemented',
    reason: refused ?? not ?? author ?? '',
    code: own.length > 0 ? own : tags.claims.filter((tag) => tag.id === sectionOf(id)),
    proofs,
    peers: { runc: answerOf('runc', proofs, differences), crun: answerOf('crun', proofs, differences) },
  };
}

function answerOf(peer: Peer, proofs: readonly Proof[], differences: KnownDifferences): PeerAnswer {
  const tried = proofs.filter(({ peers }) => peers.includes(peer));
  const known = tried.flatMap((proof) => proof.differences).some((name) => differences[name]?.runtimes.includes(peer));
  return tried.length === 0 ? 'untried' : known ? 'otherwise' : 'same';
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

function findProblems({ id, answer, code, proofs, must, should, may, untried, peers }: Entry): string[] {
  const problems: string[] = [];
  if ([must, should, may].filter((each) => each !== undefined).length !== 1) problems.push(`${id} needs one of must, should and may`);
  const settled = answer === 'implemented' || answer === 'refused';
  if (settled && proofs.length === 0) problems.push(`${id} is claimed to be ${answer}, and no test says it proves it`);
  const isTried = PEERS.every((peer) => peers[peer] !== 'untried');
  if (settled && proofs.length > 0 && !isTried && untried === undefined)
    problems.push(`${id} is put to no other runtime, or not to each, and nothing says why`);
  if (isTried && untried !== undefined) problems.push(`${id} is said not to be put to other runtimes, and is`);
  if (!settled && proofs.length > 0) problems.push(`${id} is said not to concern the code, and ${proofs[0]?.path} says it proves it`);
  if (answer === 'implemented' && code.length === 0)
    problems.push(`${id} is claimed to be implemented, and no code has an @spec for it or its section`);
  return problems;
}
