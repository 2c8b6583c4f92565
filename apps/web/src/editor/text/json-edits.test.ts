import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyEdits, editsFor } from './json-edits.ts';
import { readValue, valueAt } from './json-text.ts';

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

const after = (pointer: string, value: unknown, text = TEXT) => applyEdits(text, editsFor(text, pointer, value));

test('an edit leaves comments, spacing and every other field as they were', () => {
  expect(after('/process/cwd', '/tmp')).toBe(TEXT.replace('"cwd": "/"', '"cwd": "/tmp"'));
  expect(after('/linux/namespaces/0/type', 'net')).toBe(TEXT.replace('"pid"', '"net"'));
});

test('a field that is not there is made with its parents, in the document’s own indentation', () => {
  const text = after('/linux/resources/memory/limit', 67_108_864);
  expect(valueAt(readValue(text), '/linux/resources/memory/limit')).toBe(67_108_864);
  expect(text).toContain('// what runs');
  expect(text).toContain('\n    "resources": {');
});

test('entries are appended and taken away; an absent one changes nothing', () => {
  const more = after('/process/args/-', 'echo');
  expect(valueAt(readValue(more), '/process/args')).toEqual(['sh', '-c', 'echo']);
  expect(valueAt(readValue(after('/process/args/1', undefined)), '/process/args')).toEqual(['sh']);
  expect(readValue(after('/process/user', undefined))).toEqual(readValue(TEXT));
});

test.each([
  ['the last entry', '/process/args/1', '"args": ["sh"], "cwd"'],
  ['the first entry', '/process/args/0', '"args": ["-c"], "cwd"'],
  ['the last field', '/process/cwd', '{ "args": ["sh", "-c"] },'],
  ['a comment’s neighbour', '/linux/namespaces/0', '"namespaces": [ /* its own ids */\n'],
  ['the last of all', '/linux', '"cwd": "/" }\n}'],
])('taking away %s leaves sound text', (_name, pointer, expected) => {
  const text = after(pointer, undefined);
  expect(text).toContain(expected);
  expect(readValue(text)).toBeDefined();
});

test('a new last field comes after the comment of the one before', () => {
  expect(after('/linux/namespaces/-', { type: 'uts' })).toContain(`{ "type": "pid" }, /* its own ids */
      {
        "type": "uts"
      }
    ]`);
});

test('an empty object, an empty array and a value of another kind can be filled', () => {
  expect(after('/a/b', 1, '{}')).toBe('{\n  "a": {\n    "b": 1\n  }\n}');
  expect(after('/a/-', 'x', '{ "a": [] }')).toBe('{ "a": [\n    "x"\n  ] }');
  expect(readValue(after('/a/b', 1, '{ "a": 7 }'))).toEqual({ a: { b: 1 } });
  expect(editsFor('', '/a', 1)).toEqual([]);
});

test('any sequence of edits gives the value that the same changes give an object, and keeps the comment', () => {
  const key = fc.constantFrom('a', 'b', 'c~1d');
  const pointer = fc.array(key, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
  const value = fc.oneof(fc.constant(undefined), fc.integer(), fc.string(), fc.array(fc.string(), { maxLength: 3 }));
  fc.assert(
    fc.property(fc.array(fc.tuple(pointer, value), { maxLength: 8 }), (changes) => {
      let text = '{\n  /* kept */\n  "a": { "b": 1, "x": [1, 2] } // tail\n}\n';
      for (const [at, put] of changes) {
        const parents = at.split('/').map((_part, index, parts) => parts.slice(0, index).join('/'));
        // A word is no index: whoever holds a list edits its entries by number.
        if (parents.some((parent) => Array.isArray(valueAt(readValue(text), parent)))) continue;
        text = applyEdits(text, editsFor(text, at, put));
        expect(valueAt(readValue(text), at)).toEqual(put);
      }
      expect(readValue(text)).toBeTypeOf('object');
      expect(text).toContain('/* kept */');
    }),
  );
});
