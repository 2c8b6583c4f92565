import { describe, expect, test } from 'vitest';
import { nearestRange, pointerAt, rangeOf, readValue, syntaxFaults, withoutComments } from './json-text.ts';

const TEXT = `{
  // what runs
  "process": { "args": ["sh", "-c"], "cwd": "/" },
  "linux": {
    "namespaces": [
      { "type": "pid" } /* its own ids */
    ]
  }
}
`;

const slice = (range: { from: number; to: number } | undefined) => range && TEXT.slice(range.from, range.to);

describe('places', () => {
  test('a pointer leads to its key and value, and an offset to its pointer', () => {
    expect(slice(rangeOf(TEXT, '/process/args'))).toBe('"args": ["sh", "-c"]');
    expect(slice(rangeOf(TEXT, '/process/args/1'))).toBe('"-c"');
    expect(pointerAt(TEXT, TEXT.indexOf('"-c"') + 1)).toBe('/process/args/1');
    expect(pointerAt(TEXT, TEXT.indexOf('"pid"') + 1)).toBe('/linux/namespaces/0/type');
  });

  test('a missing field is shown at the first line of what should hold it', () => {
    expect(slice(nearestRange(TEXT, '/process/user/uid'))).toBe('"process": { "args": ["sh", "-c"], "cwd": "/" }');
    expect(slice(nearestRange(TEXT, '/hostname'))).toBe('{');
    expect(nearestRange('', '/hostname')).toBeUndefined();
  });
});

test('comments are allowed here and gone for the runtime, with every offset as it was', () => {
  const plain = withoutComments(TEXT);
  expect(plain).toHaveLength(TEXT.length);
  expect(JSON.parse(plain)).toEqual(readValue(TEXT));
});

test('broken text has no value, and each fault a place', () => {
  expect(readValue('{ "a": 1 "b": 2 }')).toBeUndefined();
  expect(syntaxFaults('{ "a": 1 "b": 2 }')).toEqual([{ range: { from: 9, to: 12 }, message: 'comma is expected here' }]);
  expect(syntaxFaults(TEXT)).toEqual([]);
});
