import { mkdirSync, readdirSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { temporaryDirectory } from '../testing/stand-in.ts';
import { LabJournal } from './journal.ts';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

test('a journal whose file cannot be written goes on in memory, and leaves nothing for the next lab to believe', async () => {
  const dir = `${directory.path}/j`;
  const problems: unknown[] = [];
  const journal = LabJournal.begin({ dir, fileBytes: 0, onProblem: (error) => problems.push(error) });
  const seen: number[] = [];
  journal.subscribe((events) => seen.push(...events.map(({ seq }) => seq)));
  const say = (text: string) => journal.append({ type: 'notice', level: 'info', text }, 1, 'host');
  say('written');
  await expect.poll(() => seen).toEqual([1]);
  // The next write rotates, which fails here as any write does on a full disk.
  mkdirSync(`${dir}/${journal.id}.ndjson.1`);
  say('lost with this lab');
  await expect.poll(() => seen).toEqual([1, 2]);
  say('and so is this');
  await expect.poll(() => seen).toEqual([1, 2, 3]);
  expect(problems).toMatchObject([{ code: 'EISDIR' }]);
  journal.close();
  expect(readdirSync(dir)).toEqual([]);
  expect(await LabJournal.restore({ dir })).toBeUndefined();
});
