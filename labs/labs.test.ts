import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type CheckView, evaluateLab, type Lesson, loadLessons } from '@slipway/lessons';
import { beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const EMPTY: CheckView = { containers: [], everSeen: [], processes: [], layers: [], events: [], earlier: [], machineNamespaces: {} };
const FILES = {
  list: (dir: string) => readdir(dir),
  readText: (path: string) => readFile(path, 'utf8'),
  importModule: (path: string) => import(pathToFileURL(path).href),
};
let lessons: readonly Lesson[] = [];

beforeAll(async () => {
  lessons = await loadLessons(FILES, { contentDir: `${ROOT}content`, labsDir: `${ROOT}labs`, locale: 'en' });
});

test('every folder of labs has its prose, and agrees with it', async () => {
  const folders = (await readdir(`${ROOT}labs`, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  expect(lessons.map(({ document: { meta } }) => `${meta.number}-${meta.slug}`)).toEqual(folders.sort());
});

test('nothing is passed before the learner has begun, and every task says what it looks for', () => {
  for (const { lab } of lessons) {
    for (const state of evaluateLab(lab, EMPTY, new Map()))
      expect(state, `${lab.lesson}/${state.task}`).toMatchObject({
        status: 'open',
        saw: expect.stringMatching(/^I see (?!that the check itself failed).+ I am looking for .+\.$/),
      });
  }
});

test('every task has a wrong answer that its check must refuse', () => {
  for (const { lab } of lessons) {
    const without = lab.tasks.filter(({ id }) => !lab.decoys.some(({ task }) => task === id)).map(({ id }) => id);
    expect(without, lab.lesson).toEqual([]);
  }
});
