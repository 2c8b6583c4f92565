/** The page of attacks: nothing is missing without a reason, and it is current; and the generator notices what is missing. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { planAttackPage } from './attacks/page.ts';
import { findEvidence } from './attacks/scan.ts';
import { PAGE, planPage } from './attacks.ts';

test('every attack has a test, a control and a twin, or says why not; run `npm run docs:gen` when the page is stale', () => {
  const { text, problems } = planPage();

  expect(problems).toEqual([]);
  expect(readFileSync(PAGE, 'utf8') === text, `${PAGE} is current`).toBe(true);
});

test('lines above titles are found, for several attacks and several parts', () => {
  const text = ['  // @attack A01, A02: attack, twin', '  // A comment between.', "  hostTest('it holds', () => {})"].join('\n');

  expect(findEvidence({ path: 'p', text }).map(({ id, part, name }) => [id, part, name])).toEqual([
    ['A01', 'attack', 'it holds'],
    ['A01', 'twin', 'it holds'],
    ['A02', 'attack', 'it holds'],
    ['A02', 'twin', 'it holds'],
  ]);
});

test('what is missing, unknown or excused in vain is a problem', () => {
  const attacks = { A01: { tries: 'x', noTwin: 'why' }, A02: { tries: 'y', noControl: 'why' } };
  const of = (id: string, part: string) => ({ id, part, path: 'p', name: 'n' });
  const { problems } = planAttackPage(attacks, [of('A01', 'attack'), of('A02', 'control'), of('A03', 'attack'), of('A01', 'tryout')]);

  expect(problems).toEqual([
    'p (n) says it is attack of A03, which the catalogue does not have',
    'p (n) says it is tryout of A01, which the catalogue does not have',
    'A01 has no control, and no reason why',
    'A02 has no attack, and no reason why',
    'A02 has a control and a reason why there is none',
    'A02 has no twin, and no reason why',
  ]);
});
