/**
 * Style sheets of the page are one name space: a class that two of them define changes what the other one meant.
 *
 * Knows: rules of a single class, outside of conditions. Does not know: rules within a component, nor overrides for small pages.
 */
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = new URL('..', import.meta.url).pathname;

test('a class is defined by one style sheet', () => {
  const homes = new Map<string, Set<string>>();
  for (const file of globSync(['packages/ui/src/styles/*.css', 'apps/web/src/app/*.css'], { cwd: ROOT })) {
    for (const name of definedIn(readFileSync(`${ROOT}${file}`, 'utf8'))) {
      homes.set(name, (homes.get(name) ?? new Set()).add(basename(file)));
    }
  }
  expect(homes.size).toBeGreaterThan(100);
  expect([...homes].filter(([, files]) => files.size > 1).map(([name, files]) => `.${name}: ${[...files].join(', ')}`)).toEqual([]);
});

/** Classes that stand alone before a brace, at the beginning of a line: within a condition they are indented. */
function definedIn(css: string): readonly string[] {
  return [...css.matchAll(/^\.([\w-]+) \{$/gm)].map(([, name = '']) => name);
}
