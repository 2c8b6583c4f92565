import { expect, test } from 'vitest';
import { parseLesson } from './parse.ts';

const FRONT = [
  '---',
  'number: "01"',
  'slug: a-test',
  'title: A test',
  'summary: What it says',
  'minutes: 5',
  'track: A track',
  'panels: [processes]',
  'claims: [It works]',
  '---',
  '',
].join('\n');

test('prose becomes data, with components and their attributes', () => {
  const { meta, body } = parseLesson(`${FRONT}## Hello\n\nA *word* and \`code\`.\n\n<Run>docker ps</Run>\n`, 'a.mdx');

  expect(meta.title).toBe('A test');
  expect(body).toEqual([
    { kind: 'element', tag: 'h2', props: {}, children: [{ kind: 'text', text: 'Hello' }] },
    {
      kind: 'element',
      tag: 'p',
      props: {},
      children: [
        { kind: 'text', text: 'A ' },
        { kind: 'element', tag: 'em', props: {}, children: [{ kind: 'text', text: 'word' }] },
        { kind: 'text', text: ' and ' },
        { kind: 'element', tag: 'code', props: {}, children: [{ kind: 'text', text: 'code' }] },
        { kind: 'text', text: '.' },
      ],
    },
    { kind: 'element', tag: 'Run', props: {}, children: [{ kind: 'text', text: 'docker ps' }] },
  ]);
});

test('a term stays in its sentence, a box leaves the paragraph that Markdown puts round it', () => {
  const { body } = parseLesson(`${FRONT}A <Term of="pid">pid</Term> here.\n\n<Task id="x">Do *it*.</Task>\n`, 'a.mdx');

  expect(body.map((node) => node.kind === 'element' && node.tag)).toEqual(['p', 'Task']);
});

test('a table keeps its head apart', () => {
  const { body } = parseLesson(`${FRONT}| a | b |\n|---|---|\n| 1 | 2 |\n`, 'a.mdx');

  expect(JSON.stringify(body)).toContain('"tag":"th"');
  expect(body).toHaveLength(1);
});

test.each([
  ['an expression', 'Text {process.exit()}', 'mdxTextExpression is not part of a lesson'],
  ['an import', 'import x from "fs"\n\ntext', 'mdxjsEsm is not part of a lesson'],
  ['an unknown element', '<script>alert(1)</script>', '<script> is not an element of lessons'],
  ['an event handler', '<Run onClick={evil}>ls</Run>', 'takes attributes in quotes only'],
  ['a spread', '<Run {...evil}>ls</Run>', 'takes attributes in quotes only'],
  ['a link that runs code', '[x](javascript:alert(1))', 'is neither https nor a place on this page'],
  ['an image', '![x](https://example.org/x.png)', 'image is not part of a lesson'],
  ['a task without id', '<Task>do it</Task>', '<Task> lacks id'],
])('%s is refused with its line', (_name, prose, message) => {
  expect(() => parseLesson(`${FRONT}\n${prose}\n`, 'a.mdx')).toThrow(
    expect.objectContaining({
      code: 'E_LESSON_INVALID',
      issues: expect.arrayContaining([expect.objectContaining({ path: 'line 12', message: expect.stringContaining(message) })]),
    }),
  );
});

test('every mistake of the front matter is listed', () => {
  const text = FRONT.replace('minutes: 5', 'minutes: 0').replace('panels: [processes]', 'panels: [stars]');

  expect(() => parseLesson(text, 'a.mdx')).toThrow(
    expect.objectContaining({ issues: [expect.objectContaining({ path: '/minutes' }), expect.objectContaining({ path: '/panels/0' })] }),
  );
});

test('a text without front matter is refused', () => {
  expect(() => parseLesson('# Hello\n', 'a.mdx')).toThrow(expect.objectContaining({ code: 'E_LESSON_INVALID' }));
});
