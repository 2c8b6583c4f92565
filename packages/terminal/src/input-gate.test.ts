import { expect, test } from 'vitest';
import { InputGate } from './input-gate.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (taken: Uint8Array | undefined) => taken && new TextDecoder().decode(taken);

test('a retransmission is typed once, and only its new part', () => {
  const gate = new InputGate();
  expect(text(gate.take('page', 0, bytes('echo ')))).toBe('echo ');
  expect(text(gate.take('page', 0, bytes('echo ')))).toBe('');
  expect(text(gate.take('page', 3, bytes('o hi\n')))).toBe('hi\n');
  expect(gate.taken('page')).toBe(8);
});

test('bytes after a hole are not typed', () => {
  const gate = new InputGate();
  expect(gate.take('page', 1, bytes('x'))).toBeUndefined();
  expect(gate.taken('page')).toBe(0);
});

test('two pages number their input apart', () => {
  const gate = new InputGate();
  gate.take('one', 0, bytes('aaaa'));
  expect(text(gate.take('two', 0, bytes('b')))).toBe('b');
});

test('the number of remembered writers is bounded, the most recent stay', () => {
  const gate = new InputGate();
  for (let i = 0; i < 1000; i += 1) gate.take(`page ${i}`, 0, bytes('x'));
  expect(gate.taken('page 0')).toBe(0);
  expect(gate.taken('page 999')).toBe(1);
});
