import { EngineError, type ErrorKind } from '@slipway/errors';
import { describe, expect, test } from 'vitest';
import { stripVersion } from './api-version.ts';
import type { BackendContainer } from './backend.ts';
import { describeStatus } from './container-json.ts';
import { toDockerError } from './docker-status.ts';
import { containerMatches, parseFilters } from './filters.ts';
import { formatNanoseconds, humanDuration, parseTimestamp, parseUntil } from './human-duration.ts';
import { encodeStdcopy } from './stdcopy.ts';
import { container } from './testing/containers.ts';

test('a frame is eight bytes and the payload', () => {
  expect(encodeStdcopy('stderr', Buffer.from('abc'))).toEqual(Buffer.from([2, 0, 0, 0, 0, 0, 0, 3, 97, 98, 99]));
  expect(encodeStdcopy('stdout', Buffer.alloc(0))).toEqual(Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]));
});

test.each([
  ['/v1.41/containers/json?all=1', '/containers/json?all=1'],
  ['/v1.24/_ping', '/_ping'],
  ['/v1.47/x', '/x'],
  ['/containers/json', '/containers/json'],
  ['/v1.23/info', '/_refused-version/1.23'],
  ['/v1.48/info', '/_refused-version/1.48'],
  ['/v9.9/info', '/_refused-version/9.9'],
  ['//v1.41//containers/../info', '//v1.41//containers/../info'],
])('%s is routed as %s', (url, routed) => {
  expect(stripVersion(url)).toBe(routed);
});

describe('failures', () => {
  test.each<[ErrorKind, number]>([
    ['invalid-argument', 400],
    ['not-found', 404],
    ['already-exists', 409],
    ['failed-precondition', 409],
    ['permission-denied', 403],
    ['unavailable', 503],
    ['data-loss', 500],
    ['unsupported', 501],
    ['internal', 500],
  ])('%s is %i', (kind, status) => {
    const error = new EngineError(kind, 'no', { code: 'E_TEST', op: 'x.y', hint: 'try' });
    expect(toDockerError(error)).toEqual({ status, body: { message: 'no (try)' } });
  });

  test('a bug says nothing about the host', () => {
    expect(toDockerError(new TypeError('/root/secret is undefined'))).toEqual({
      status: 500,
      body: { message: 'internal error: see the log of slipwayd' },
    });
  });

  test('every issue of a document is named', () => {
    const issues = [
      { path: '/a', message: 'is bad' },
      { path: '/b', message: 'too' },
    ];
    const error = new EngineError('invalid-argument', 'two things', { code: 'E_TEST', op: 'x.y', issues });
    expect(toDockerError(error).body.message).toBe('two things: /a is bad; /b too');
  });
});

test.each([
  [500, 'Less than a second'],
  [1000, '1 second'],
  [59_000, '59 seconds'],
  [61_000, 'About a minute'],
  [600_000, '10 minutes'],
  [3_700_000, 'About an hour'],
  [86_400_000, '24 hours'],
  [3 * 86_400_000, '3 days'],
  [20 * 86_400_000, '2 weeks'],
])('%i ms is "%s"', (ms, words) => {
  expect(humanDuration(ms)).toBe(words);
});

test('timestamps of clients keep their nanoseconds', () => {
  expect(formatNanoseconds(parseTimestamp('since', '1700000000.000000123') ?? 0n)).toBe('2023-11-14T22:13:20.000000123Z');
  expect(formatNanoseconds(parseTimestamp('since', '2023-11-14T22:13:20Z') ?? 0n)).toBe('2023-11-14T22:13:20.000000000Z');
  expect(parseTimestamp('since', '0')).toBeUndefined();
  expect(() => parseTimestamp('since', 'yesterday')).toThrow(/invalid value for "since"/);
});

test.each([
  ['24h', '2025-12-31T00:00:00.000Z'],
  ['1h30m5s', '2025-12-31T22:29:55.000Z'],
  ['0s', '2026-01-01T00:00:00.000Z'],
  ['1700000000', '2023-11-14T22:13:20.000Z'],
  ['2025-01-01T00:00:00Z', '2025-01-01T00:00:00.000Z'],
])('until %s is %s', (text, time) => {
  expect(new Date(parseUntil(text, Date.parse('2026-01-01T00:00:00Z'))).toISOString()).toBe(time);
});

test.each(['', 'h', '1d', 'yesterday', '-1h'])('until %j is refused', (text) => {
  expect(() => parseUntil(text, 0)).toThrow(/invalid value for "until"/);
});

test.each<[Partial<BackendContainer>, string]>([
  [{ status: 'created' }, 'Created'],
  [{ status: 'running', startedAt: '2026-01-01T00:00:00Z' }, 'Up 5 seconds'],
  [{ status: 'paused', startedAt: '2026-01-01T00:00:00Z' }, 'Up 5 seconds (Paused)'],
  [{ status: 'exited', exit: { code: 137, oomKilled: false, at: '2026-01-01T00:00:00Z' } }, 'Exited (137) 5 seconds ago'],
])('the status column of %j', (changes, words) => {
  expect(describeStatus(container(changes), Date.parse('2026-01-01T00:00:05Z'))).toBe(words);
});

describe('filters', () => {
  const web = container({ name: 'web-1', status: 'exited', exit: { code: 3, oomKilled: false, at: '' } });
  const matches = (filters: object) =>
    containerMatches(web, parseFilters(JSON.stringify(filters), ['name', 'label', 'status', 'exited', 'id']), [web]);

  test.each([
    [{ name: ['web'] }, true],
    [{ name: { web: true } }, true],
    [{ name: ['^web$'] }, false],
    [{ name: ['^/web-1$'] }, true],
    [{ status: ['running', 'exited'] }, true],
    [{ status: ['running'], name: ['web'] }, false],
    [{ exited: ['3'] }, true],
    [{ label: ['tier=front'] }, true],
    [{ label: ['tier=front', 'nope'] }, false],
    [{ name: ['(a+)+$'] }, false],
  ])('%j: %s', (filters, expected) => {
    expect(matches(filters)).toBe(expected);
  });

  test.each(['[', '[]', '{"colour":["red"]}', `{"name":["${'x'.repeat(20_000)}"]}`])('%.40j is refused', (text) => {
    expect(() => parseFilters(text, ['name'])).toThrow(/filter/);
  });
});
