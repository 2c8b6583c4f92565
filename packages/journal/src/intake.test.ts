import { expect, test } from 'vitest';
import { loadJournal } from './file.ts';
import { createIntake } from './intake.ts';
import { formatEvent, LINE_LIMIT, parseEvent, parseMachineLine } from './ndjson.ts';
import { scenario } from './testing/scenario.ts';
import type { JournalBody } from './types.ts';

const notice = (text: string, more = {}): string => `${JSON.stringify({ type: 'notice', level: 'info', text, ...more })}\n`;

function intake(perSecond = 1000) {
  const taken: Array<[JournalBody, number]> = [];
  const clock = { ms: 10_000 };
  const it = createIntake({ emit: (body, atMs) => taken.push([body, atMs]), now: () => clock.ms, perSecond });
  return { it, taken, clock };
}

test('every event a journal can hold survives being written and read', () => {
  for (const event of scenario({ containers: 2, removed: 1 })) {
    expect(parseEvent(formatEvent(event))).toEqual({ ok: true, value: event });
  }
});

test.each([
  ['not JSON', '{"type":', 'line is not JSON'],
  ['no object', '[]', 'type is none that a journal holds'],
  ['unknown type', '{"type":"exploit"}', 'type is none that a journal holds'],
  ['a type of Object.prototype', '{"type":"constructor"}', 'type is none that a journal holds'],
  ['missing field', '{"type":"notice","level":"info"}', 'text is not a string'],
  ['wrong enum', '{"type":"notice","level":"shout","text":"x"}', 'level is none of info, warning, error'],
  ['too long', JSON.stringify({ type: 'notice', level: 'info', text: 'x'.repeat(3000) }), 'text is longer than 2048'],
  ['not a number', '{"type":"gap","reason":"x","count":"3"}', 'count is not a number'],
  ['infinite', '{"type":"gap","reason":"x","count":1e999}', 'count is not a number'],
  ['negative', '{"type":"gap","reason":"x","count":-1}', 'count is not between'],
  ['too many entries', JSON.stringify({ type: 'processes', processes: Array(513).fill({}) }), 'processes has more than 512 entries'],
  ['nested', '{"type":"span","span":{"id":"a","trace":"a","actor":"root"}}', 'span.actor is none of client'],
  [
    'forbidden name',
    '{"type":"container","container":{"id":"a","name":"a","image":"a","command":[],"status":"created","createdAt":"","api":"","cgroups":{"__proto__":"x"}}}',
    'container.cgroups has a name that is not allowed',
  ],
  ['deep', `${'['.repeat(20_000)}`, 'line is not JSON'],
  ['long line', ' '.repeat(LINE_LIMIT + 1), 'line is longer than'],
])('a bad line is refused with the field at fault: %s', (_name, line, reason) => {
  const parsed = parseMachineLine(line);
  expect(parsed.ok).toBe(false);
  expect(!parsed.ok && parsed.reason).toContain(reason);
});

test('unknown fields and __proto__ do not get through', () => {
  const parsed = parseMachineLine('{"type":"notice","level":"info","text":"x","__proto__":{"polluted":1},"evil":true,"atMs":5}');
  expect(parsed).toEqual({ ok: true, value: { body: { type: 'notice', level: 'info', text: 'x' }, atMs: 5 } });
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

test('a machine may report its containers but not what the host finds out itself', () => {
  const { it, taken } = intake();
  it.push(notice('hello', { atMs: 9000, seq: 99, origin: 'host' }));
  it.push(`${JSON.stringify({ type: 'check', check: { lesson: '01', task: 't', status: 'passed' } })}\n`);
  it.push(`${JSON.stringify({ type: 'kernel.exec', event: { pid: 1, hostPid: 1, comm: 'x' } })}\n`);
  it.end();
  expect(taken[0]).toEqual([{ type: 'notice', level: 'info', text: 'hello' }, 9000]);
  expect(taken.slice(1).map(([body]) => body)).toEqual([
    { type: 'gap', reason: 'dropped from the machine\'s engine: a machine may not report "check"', count: 1 },
    { type: 'gap', reason: 'dropped from the machine\'s engine: a machine may not report "kernel.exec"', count: 1 },
  ]);
  expect([it.accepted, it.dropped]).toEqual([1, 2]);
});

test('times from the future or from before the machine are taken as now', () => {
  const { it, taken } = intake();
  it.push(notice('a', { atMs: 99_999 }));
  it.push(notice('b', { atMs: -5 }));
  it.push(notice('c'));
  expect(taken.map(([, atMs]) => atMs)).toEqual([10_000, 10_000, 10_000]);
});

test('lines may come in any pieces; an endless line is dropped once and costs no memory', () => {
  const { it, taken, clock } = intake();
  const bytes = Buffer.from(notice('grüße 😀'));
  for (const byte of bytes) it.push(Uint8Array.of(byte));
  for (let i = 0; i < 100; i++) it.push('x'.repeat(10_000));
  it.push('\n');
  clock.ms += 2000;
  it.push(notice('after'));
  expect(taken.map(([body]) => (body.type === 'notice' ? body.text : body.type))).toEqual(['grüße 😀', 'gap', 'after']);
  expect(it.dropped).toBe(1);
});

test('a flood is cut to the rate and counted', () => {
  const { it, taken, clock } = intake(10);
  for (let i = 0; i < 1000; i++) it.push(notice(String(i)));
  clock.ms += 1000;
  it.push(notice('after'));
  it.end();
  expect(it.accepted).toBe(41);
  const lost = taken.reduce((sum, [body]) => sum + (body.type === 'gap' ? (body.count ?? 0) : 0), 0);
  expect(lost).toBe(960);
});

test('a damaged file loads what it can, with a gap where an event is missing', async () => {
  const lines = scenario({ containers: 1 }).slice(0, 5).map(formatEvent);
  const damaged = [...lines.slice(0, 2), `${lines[2]?.slice(0, 20)}`, ...lines.slice(3), lines[0], 'garbage'].join('\n');
  const loaded = await loadJournal([damaged]);
  expect(loaded.dropped).toBe(3);
  expect(loaded.events.map((event) => [event.seq, event.type])).toEqual([
    [1, 'epoch'],
    [2, 'processes'],
    [3, 'gap'],
    [4, 'command'],
    [5, 'span'],
  ]);
});

test('after a reconnect, lines taken before are passed over by their number', () => {
  const taken: string[] = [];
  const numbers: number[] = [];
  const intake = createIntake({
    emit: (body) => void (body.type === 'notice' && taken.push(body.text)),
    now: () => 10,
    after: 2,
    onNumber: (n) => void numbers.push(n),
  });
  for (const n of [1, 2, 3, 4]) intake.push(`${JSON.stringify({ type: 'notice', level: 'info', text: `notice ${n}`, atMs: 5, n })}\n`);
  expect(taken).toEqual(['notice 3', 'notice 4']);
  expect(numbers).toEqual([3, 4]);
});
