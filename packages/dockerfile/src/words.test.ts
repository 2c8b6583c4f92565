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

test.each(['"open', "'open", '@{A', '@{A%x}', '@{}', '@{NONE:?is needed}'])('%s is refused with its line', (text) => {
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
