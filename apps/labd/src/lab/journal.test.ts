import { appendFileSync, mkdirSync, readdirSync, statSync } from 'node:fs';
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

/** What a lab that began or goes on with this directory says, and then ends. */
async function sayIn(dir: string, texts: readonly string[], options: { readonly fileBytes?: number } = {}): Promise<LabJournal> {
  const journal = (await LabJournal.restore({ dir, ...options })) ?? LabJournal.begin({ dir, ...options });
  for (const text of texts) journal.append({ type: 'notice', level: 'info', text }, 1, 'host');
  journal.close();
  return journal;
}

test('a line that was cut off when labd was killed spoils none that comes after it', async () => {
  const dir = `${directory.path}/cut`;
  const { id } = await sayIn(dir, ['one', 'two']);
  appendFileSync(`${dir}/${id}.ndjson`, '{"type":"notice","level":"info","te');
  await sayIn(dir, ['three']);
  const restored = await LabJournal.restore({ dir });
  expect(restored?.id).toBe(id);
  expect(restored?.read(0, 9).map((event) => (event.type === 'notice' ? event.text : event.type))).toEqual(['one', 'two', 'three']);
  restored?.close();
});

test('a journal stays as large as it may be, however often labd starts anew', async () => {
  const dir = `${directory.path}/often`;
  const fileBytes = 4000;
  for (let start = 0; start < 20; start += 1) await sayIn(dir, ['x'.repeat(1000)], { fileBytes });
  const sizes = readdirSync(dir).map((name) => statSync(`${dir}/${name}`).size);
  expect(sizes).toHaveLength(2);
  // A write that begins within the bound may end beyond it.
  for (const size of sizes) expect(size).toBeLessThan(fileBytes + 1200);
});
