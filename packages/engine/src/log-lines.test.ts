import { expect, test } from 'vitest';
import { LogLineReader, lastLines, parseLogLine } from './log-lines.ts';

const T = '2026-11-21T04:00:00.123456789Z';
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

test('a line in pieces of any size is the same line', () => {
  const bytes = Buffer.concat([Buffer.from(`${T} stdout F h`), Buffer.from([0xff, 0x00]), Buffer.from(`\n${T} stderr P part\n`)]);
  for (let size = 1; size < bytes.length; size++) {
    const reader = new LogLineReader();
    const lines = [];
    for (let at = 0; at < bytes.length; at += size) lines.push(...reader.push(bytes.subarray(at, at + size)));
    expect(lines.map(({ stream, partial, content }) => [stream, partial, text(content)])).toEqual([
      ['stdout', false, 'h\xff\0\n'],
      ['stderr', true, 'part'],
    ]);
  }
});

test.each(['', 'junk\n', `${T} stdin F x\n`, `${T} stdout X x\n`, `${'9'.repeat(100)} stdout F x\n`])('%j is no log line', (line) => {
  expect(parseLogLine(Buffer.from(line))).toBeUndefined();
});

test('an empty line is a line', () => {
  expect(text(parseLogLine(Buffer.from(`${T} stdout F \n`))?.content ?? new Uint8Array())).toBe('\n');
});

test('the last lines count parts of one line once', () => {
  const lines = new LogLineReader().push(
    Buffer.from(['F a', 'P b1', 'P b2', 'F b3', 'F c'].map((rest) => `${T} stdout ${rest}\n`).join('')),
  );
  expect(lastLines(lines, 2).map(({ content }) => text(content).trim())).toEqual(['b1', 'b2', 'b3', 'c']);
  expect(lastLines(lines, 0)).toEqual([]);
  expect(lastLines(lines, 99)).toHaveLength(5);
});
