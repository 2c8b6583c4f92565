import { expect, test } from 'vitest';
import { GroupCommit } from './group-commit.ts';

const LONG_MS = 600_000;

test('what comes before a group is closed shares its commit, and groups follow each other', async () => {
  const groups: (readonly string[])[] = [];
  const first = Promise.withResolvers<void>();
  const commits = new GroupCommit<string>(0, (group) => (groups.push(group) === 1 ? first.promise : Promise.resolve()));
  const a = commits.add('a');
  await expect.poll(() => groups).toEqual([['a']]);
  const later = [commits.add('b'), commits.add('c')];

  first.resolve();
  await Promise.all([a, ...later]);
  expect(groups).toEqual([['a'], ['b', 'c']]);
});

test('settle waits for no further ones', async () => {
  const groups: (readonly string[])[] = [];
  const commits = new GroupCommit<string>(LONG_MS, async (group) => void groups.push(group));
  const added = [commits.add('a'), commits.add('b')];
  await commits.settle();

  await Promise.all(added);
  expect(groups).toEqual([['a', 'b']]);
});

test('nothing is committed after a group that failed, and everybody is told', async () => {
  const groups: (readonly string[])[] = [];
  const commits = new GroupCommit<string>(LONG_MS, async (group) => {
    groups.push(group);
    throw new Error('disk full');
  });
  const a = commits.add('a');
  a.catch(() => undefined); // looked at below
  await commits.settle();

  await expect(a).rejects.toThrow('disk full');
  await expect(commits.add('b')).rejects.toThrow('disk full');
  await commits.settle();
  expect(groups).toEqual([['a']]);
});
