import type { LessonNode, LessonTag } from '@slipway/lessons/types';
import { expect, test } from 'vitest';
import { commandLines, plainText, safeHref } from './plain-text.ts';

const text = (value: string): LessonNode => ({ kind: 'text', text: value });
const element = (tag: LessonTag, ...children: LessonNode[]): LessonNode => ({ kind: 'element', tag, props: {}, children });

test('the words of nested mark-up', () => {
  expect(plainText([element('p', text('a '), element('strong', text('real')), text(' process'))])).toBe('a real process');
});

test('a run block of several lines is several commands', () => {
  expect(commandLines([text('\n  docker ps \n\n docker kill web\n')])).toEqual(['docker ps', 'docker kill web']);
});

test('a lesson cannot link to script', () => {
  expect(['https://kernel.org', '#x', '/docs', 'javascript:alert(1)', '//evil', 'data:text/html,x'].map(safeHref)).toEqual([
    'https://kernel.org',
    '#x',
    '/docs',
    undefined,
    undefined,
    undefined,
  ]);
});
