import { expect, test } from 'vitest';
import { expandText, expandWord, splitWords } from './words.ts';

const values: Readonly<Record<string, string>> = { A: 'one', EMPTY: '', B: 'two words' };
const expansion = { lookUp: (name: string) => values[name], escapeWith: '\\', line: 3 };

/** `@{` stands for what a template string begins with. */
const shell = (text: string) => text.replaceAll('@{', '$'.concat('{'));

test.each([
  ['$A', 'one'],
  ['@{A}x', 'onex'],
  ['$AB', ''],
  ['a$', 'a$'],
  ['"$B"', 'two words'],
  ["'$A'", '$A'],
  ['\\$A', '$A'],
  ['"\\$A \\" \\x"', '$A " \\x'],
  ['@{NONE:-d@{A}}', 'done'],
  ['@{EMPTY:-d}', 'd'],
  ['@{EMPTY-d}', ''],
  ['@{A:+yes}', 'yes'],
  ['@{EMPTY:+yes}', ''],
  ['@{EMPTY+yes}', 'yes'],
  ['@{A:?gone}', 'one'],
])('%s becomes %j', (text, expected) => {
  expect(expandWord(shell(text), expansion)).toBe(expected);
});

test.each(['"open', "'open", '@{A', '@{A^x}', '@{A#x', '@{}', '@{NONE:?is needed}'])('%s is refused with its line', (text) => {
  expect(() => expandWord(shell(text), expansion)).toThrow(
    expect.objectContaining({ code: 'E_DOCKERFILE', message: expect.stringContaining('line 3') }),
  );
});

test('words end at white space outside of quotes', () => {
  expect(splitWords('a "b c"d  \'e f\' g\\ h')).toEqual(['a', '"b c"d', "'e f'", 'g\\ h']);
});

test('a here-document keeps its quotes', () => {
  expect(expandText('say "$A" and \\$A and \\n', expansion)).toBe('say "one" and $A and \\n');
});

test.each([
  ['@{FILE##*/}', 'name.tar.gz'],
  ['@{FILE#*/}', 'to/name.tar.gz'],
  ['@{FILE%%.*}', 'path/to/name'],
  ['@{FILE%.*}', 'path/to/name.tar'],
  ['@{FILE%.zip}', 'path/to/name.tar.gz'],
  ['@{FILE#@{PREFIX}/}', 'to/name.tar.gz'],
  ['@{FILE#????/}', 'to/name.tar.gz'],
  ['@{FILE/t/T}', 'paTh/to/name.tar.gz'],
  ['@{FILE//t/}', 'pah/o/name.ar.gz'],
  ['@{FILE//t}', 'pah/o/name.ar.gz'],
  ['@{FILE//\\//_}', 'path_to_name.tar.gz'],
  ['@{FILE/t*n/-}', 'pa-ame.tar.gz'],
  ['@{STARS#\\*}', '*'],
  ['"@{FILE##*/} @{NOTHING%x}"', 'name.tar.gz '],
])('a pattern in a variable: %s', (text, expanded) => {
  const values: Readonly<Record<string, string>> = { FILE: 'path/to/name.tar.gz', PREFIX: 'path', STARS: '**' };
  expect(expandWord(shell(text), { lookUp: (name) => values[name], escapeWith: '\\', line: 1 })).toBe(expanded);
});

test('a pattern of many stars takes no longer than its value is long, and a value that is too long is refused', () => {
  const expand = (value: string) => expandWord(`\${A/${'*a'.repeat(30)}b/x}`, { lookUp: () => value, escapeWith: '\\', line: 3 });
  expect(expand('a'.repeat(500))).toBe('a'.repeat(500));
  expect(() => expand('a'.repeat(5000))).toThrow(expect.objectContaining({ code: 'E_DOCKERFILE', subject: '3' }));
});
