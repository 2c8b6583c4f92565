/** docs/errors.md and the code must name the same error codes: none undocumented, none documented that is gone. */
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

function codesIn(text: string): string[] {
  return [...text.matchAll(/'(E_[A-Z0-9_]+)'/g)].map(([, code = '']) => code);
}

const SOURCES = globSync(['packages/*/src/**/*.{ts,tsx}', 'apps/*/src/**/*.{ts,tsx}'], { exclude: ['**/*.test.ts', '**/testing/**'] });

test('every error code of the code is documented, and every documented code exists', () => {
  const inCode = new Set(SOURCES.flatMap((path) => codesIn(readFileSync(path, 'utf8'))));
  const inDocs = new Set([...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `(E_[A-Z0-9_]+)`/gm)].map(([, code = '']) => code));

  expect({
    undocumented: [...inCode].filter((code) => !inDocs.has(code)).sort(),
    gone: [...inDocs].filter((code) => !inCode.has(code)).sort(),
  }).toEqual({
    undocumented: [],
    gone: [],
  });
});
