/** The conformance page: what it is made from adds up, and it is current; and the generator notices what does not. */
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DIFFERENCES } from '../apps/cli/src/runc/testing/differences.ts';
import { planLedger } from './runtime-spec/ledger.ts';
import { findClaims, findProofs } from './runtime-spec/scan.ts';
import { CHAPTERS } from './runtime-spec/statements.ts';
import { PAGE, planPage } from './spec-conformance.ts';

test('every claim has a test, every test a claim, and the page says so; run `npm run docs:gen` when it is stale', () => {
  const { ledger, page } = planPage();

  expect(ledger.problems).toEqual([]);
  expect(readFileSync(PAGE, 'utf8') === page, `${PAGE} is current`).toBe(true);
});

test('no statement has two answers', () => {
  const answers = CHAPTERS.flatMap(({ document, statements }) =>
    Object.entries(statements)
      .filter(([, { refused, not, author }]) => [refused, not, author].filter((reason) => reason !== undefined).length > 1)
      .map(([name]) => `${document}#${name}`),
  );

  expect(answers).toEqual([]);
});

test('every difference of another runtime is one that some test runs into', () => {
  const texts = globSync('apps/cli/src/runc/**/*.ts', { exclude: ['**/differences.ts'] }).map((path) => readFileSync(path, 'utf8'));

  expect(Object.keys(DIFFERENCES).filter((name) => !texts.some((text) => text.includes(`'${name}'`)))).toEqual([]);
});

test('tags are found with the symbol they stand before, or the file', () => {
  const text = [
    '/**',
    ' * @spec runtime-spec/a.md#whole',
    ' */',
    "import { x } from 'y';",
    '/** Says. @spec runtime-spec/a.md#one/x, runtime-spec/b.md#two */',
    'export async function plan(): void {}',
    'const TABLE = {',
    "  start: ['created'], // @spec runtime-spec/a.md#start",
    '};',
    '/** @spec image-spec/a.md#other */',
  ].join('\n');

  expect(findClaims({ path: 'p', text }).map(({ id, name }) => [id, name])).toEqual([
    ['a.md#whole', ''],
    ['a.md#one/x', 'plan'],
    ['b.md#two', 'plan'],
    ['a.md#start', 'start'],
  ]);
});

test('proofs are found in titles and above them', () => {
  const text = [
    `test('it works [runtime-spec/a.md#one/x]', () => {`,
    '  // @proves runtime-spec: a.md#one/y b.md#two/z',
    '  // @proves runtime-spec: c.md#three/q',
    `  ["it doesn't", {}],`,
  ].join('\n');

  expect(findProofs({ path: 'p', text }).map(({ id, name }) => [id, name])).toEqual([
    ['a.md#one/x', 'it works'],
    ['a.md#one/y', "it doesn't"],
    ['b.md#two/z', "it doesn't"],
    ['c.md#three/q', "it doesn't"],
  ]);
});

test('a claim without test, a test without claim, code that is missing and contradictions are problems', () => {
  const statements = {
    'good/x': { must: 'x' },
    'good/untested': { must: 'y' },
    'good/ours': { must: 'o' },
    'good/tried': { must: 't', untried: 'why' },
    'bare/x': { must: 'z' },
    'good/refused': { should: 'r', refused: 'why' },
    'good/left': { must: 'l', not: 'why' },
  };
  const tag = (id: string) => ({ id, path: 'p', name: 'n' });
  const proof = (id: string) => ({ ...tag(id), peers: id === 'a.md#good/ours' ? [] : ['runc', 'crun'], differences: [] });
  const { problems } = planLedger([{ document: 'a.md', statements }], {
    claims: [tag('a.md#good')],
    proofs: ['good/x', 'good/ours', 'good/tried', 'bare/x', 'good/left', 'nowhere/x'].map((name) => proof(`a.md#${name}`)),
  });

  expect(problems).toEqual([
    'p (n) names a.md#nowhere/x, which is no statement in tooling/runtime-spec',
    'a.md#good/untested is claimed to be implemented, and no test says it proves it',
    'a.md#good/ours is put to no other runtime, or not to each, and nothing says why',
    'a.md#good/tried is said not to be put to other runtimes, and is',
    'a.md#bare/x is claimed to be implemented, and no code has an @spec for it or its section',
    'a.md#good/refused is claimed to be refused, and no test says it proves it',
    'a.md#good/left is said not to concern the code, and p says it proves it',
  ]);
});

test('a proof says on which other runtimes it runs, and which of them its test knows to differ', () => {
  const text = [
    "describe.each(RUNTIMES)('a group', (under) => {",
    '  // @proves runtime-spec: a.md#one/x',
    "  hostTest('the same for all', () => {",
    '    one();',
    '',
    '    two();',
    '  });',
    '',
    '  // @proves runtime-spec: a.md#two/y',
    "  hostTest('not for all', () => {",
    '    one();',
    '',
    "    expect(two()).toBe(differs(under, 'known'));",
    '  });',
    '});',
    '',
    "describe('ours', () => {",
    "  test('alone [runtime-spec/a.md#three/z]', () => {});",
    '});',
  ].join('\n');
  const statements = { 'one/x': { must: 'x' }, 'two/y': { may: 'y' }, 'three/z': { should: 'z' } };
  const known = { known: { runtimes: ['runc'] } };
  const tags = { claims: [], proofs: findProofs({ path: 'p', text }) };
  const { entries } = planLedger([{ document: 'a.md', statements }], tags, known);

  expect(entries.map(({ level, peers }) => [level, peers.runc, peers.crun])).toEqual([
    ['MUST', 'same', 'same'],
    ['MAY', 'otherwise', 'same'],
    ['SHOULD', 'untried', 'untried'],
  ]);
});
