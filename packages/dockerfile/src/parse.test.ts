import { expect, test } from 'vitest';
import { parseDockerfile, parseInstruction } from './parse.ts';

const parse = (text: string) => parseDockerfile(text).instructions;

test('instructions with their lines, flags and text', () => {
  expect(parse('FROM --platform=linux/amd64 busybox AS base\n\n# a comment\nCOPY --from=base --chown="1:2" a  b /c/\n')).toEqual([
    { keyword: 'FROM', flags: [['platform', 'linux/amd64']], text: 'busybox AS base', heredocs: [], line: 1, endLine: 1 },
    {
      keyword: 'COPY',
      flags: [
        ['from', 'base'],
        ['chown', '1:2'],
      ],
      text: 'a  b /c/',
      heredocs: [],
      line: 4,
      endLine: 4,
    },
  ]);
});

test('continued lines are one, comments and empty lines between them are nobody’s, white space inside stays', () => {
  const [run] = parse('RUN echo a && \\\n  # not a word\n  echo "b  c" \\\n\n  && echo d\n');
  expect(run).toMatchObject({ text: 'echo a &&   echo "b  c"   && echo d', line: 1, endLine: 5 });
});

test('here-documents: content as written, tabs taken away for <<-, quoted delimiters noted', () => {
  const [run, copy] = parse('RUN <<EOF\necho hi\n  echo there\nEOF\nCOPY <<A <<-"B" /dest/\none $V\nA\n\ttwo\n\tB\n');
  expect(run).toMatchObject({ text: '<<EOF', heredocs: [{ name: 'EOF', expand: true, content: 'echo hi\n  echo there\n' }], endLine: 4 });
  expect(copy).toMatchObject({
    text: '<<A <<-"B" /dest/',
    heredocs: [
      { name: 'A', expand: true, content: 'one $V\n' },
      { name: 'B', expand: false, content: 'two\n' },
    ],
  });
});

test('the escape directive changes what continues a line', () => {
  expect(parseDockerfile('# escape=`\nRUN a `\n  b\\\n').instructions[0]?.text).toBe('a   b\\');
});

test.each([
  ['an unknown instruction', 'FROM a\nFOO bar', 'line 2: unknown instruction: FOO'],
  ['a here-document without end', 'FROM a\nRUN <<EOF\nx', 'line 2: unterminated heredoc EOF'],
])('%s is refused with its line', (_name, text, message) => {
  expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'E_DOCKERFILE', message: expect.stringContaining(message) }));
});

test('one instruction of its own keeps the line it stands on', () => {
  expect(parseInstruction('ENV A=1', 7)).toMatchObject({ keyword: 'ENV', line: 7 });
  expect(() => parseInstruction('ENV A=1\nRUN x', 7)).toThrow('line 7');
});
