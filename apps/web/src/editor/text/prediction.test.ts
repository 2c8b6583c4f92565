import { expect, test } from 'vitest';
import { flagsOf, judge } from './prediction.ts';

test('the flags of a line are found however they are written', () => {
  expect(flagsOf('docker run -it --memory=64m -e A=1 -e B=2 --read-only busybox sh')).toEqual(['-it', '--memory', '-e', '--read-only']);
  expect(flagsOf('')).toEqual([]);
});

const ORIGINS = [{ flag: '--memory', pointers: ['/linux/resources/memory/limit', '/linux/resources/memory/swap'] }];

test.each([
  ['/linux/resources/memory/limit', 'right'],
  ['linux/resources/memory', 'right'],
  ['/linux', 'close'],
  ['/linux/resources/cpu/quota', 'close'],
  ['/process/rlimits', 'wrong'],
  ['', 'none'],
])('guessing %j for --memory is %s', (guess, verdict) => {
  expect(judge(ORIGINS, { '--memory': guess })[0]?.verdict).toBe(verdict);
});
