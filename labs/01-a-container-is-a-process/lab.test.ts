import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type CheckView, evaluateLab, loadLessons } from '@slipway/lessons';
import { expect, test } from 'vitest';
import { lab } from './lab.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const EMPTY: CheckView = { containers: [], everSeen: [], processes: [], layers: [], events: [], machineNamespaces: {} };

test('nothing is passed before the learner has begun, and every task says what it looks for', () => {
  const states = evaluateLab(lab, EMPTY, new Map());

  for (const state of states)
    expect(state).toMatchObject({ status: 'open', saw: expect.stringMatching(/^I see .+ I am looking for .+\.$/) });
});

test('prose and lab agree', async () => {
  const files = {
    list: (dir: string) => readdir(dir),
    readText: (path: string) => readFile(path, 'utf8'),
    importModule: (path: string) => import(pathToFileURL(path).href),
  };

  const lessons = await loadLessons(files, { contentDir: `${ROOT}content`, labsDir: `${ROOT}labs`, locale: 'en' });

  expect(lessons.map((lesson) => lesson.document.meta.slug)).toContain('a-container-is-a-process');
});
