/**
 * Documents lead somewhere, every package says what it does and does not, and no tracked file speaks of one machine.
 *
 * Knows: what a link in Markdown looks like. Does not know: whether a sentence is true; people check that.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

const MARKDOWN = globSync(['*.md', '{docs,packages,apps,labs,content}/**/*.md'], {
  exclude: (path) => /(^|\/)(node_modules|\.next|out)(\/|$)/.test(String(path)),
}).toSorted();

/** Relative targets of `[text](target)`, outside code. */
function linksOf(text: string): readonly string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, (code) => 'x'.repeat(code.length));
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target).filter((target) => !/^[a-z]+:/.test(target));
}

/** Anchors as GitHub makes them from headings. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function leadsSomewhere(from: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? from : normalize(join(dirname(from), path));
  if (!existsSync(file)) return false;
  return anchor === undefined || !file.endsWith('.md') || anchorsOf(readFileSync(file, 'utf8')).has(anchor);
}

test('links between documents, and from them to the code, lead somewhere', () => {
  expect(MARKDOWN).toContain('docs/ARCHITECTURE.md');
  const links = MARKDOWN.flatMap((file) => linksOf(readFileSync(file, 'utf8')).map((target) => ({ file, target })));
  expect(links.length).toBeGreaterThan(100);
  expect(links.filter(({ file, target }) => !leadsSomewhere(file, target))).toEqual([]);
});

test('a link that leads nowhere is noticed', () => {
  expect(linksOf('see [x](a.md#b), `[no](code)` and [web](https://example.org)')).toEqual(['a.md#b']);
  expect(leadsSomewhere('docs/scope.md', 'no-such-file.md')).toBe(false);
  expect(leadsSomewhere('docs/scope.md', 'threat-model.md#no-such-heading')).toBe(false);
  expect(leadsSomewhere('docs/scope.md', 'threat-model.md#what-is-not-defended')).toBe(true);
});

test.each(globSync(['packages/*', 'apps/*']).filter((path) => existsSync(`${path}/package.json`)))(
  '%s says what it does and does not',
  (path) => {
    const readme = readFileSync(`${path}/README.md`, 'utf8');
    for (const section of ['Does', 'Does not']) expect(readme, section).toMatch(new RegExp(`^\\*\\*${section}[.:]?\\*\\*`, 'm'));
    expect(readme.split('\n').length).toBeLessThanOrEqual(45);
  },
);

const OF_ONE_MACHINE = [
  /(?:^|[^\w.}*-])\/(?:work|farm)\//m,
  /\/tmp\/(?:s|bash_jobs)\b/,
  /registry\.(?:npmjs|yarnpkg)\./,
  /\b(?:deb\.debian|deb\.nodesource|pypi|files\.pythonhosted)\.(?:org|com)/,
];

test('no tracked file names a path of one machine or a package registry', () => {
  const tracked = execFileSync('git', ['-c', 'safe.directory=*', 'ls-files', '-z'], { encoding: 'utf8' }).split('\0').filter(Boolean);
  const texts = tracked.filter((file) => file !== 'tooling/docs.test.ts' && existsSync(file) && statSync(file).isFile());
  expect(texts.length).toBeGreaterThan(100);
  const found = texts.filter((file) => OF_ONE_MACHINE.some((pattern) => pattern.test(readFileSync(file, 'utf8'))));
  expect(found).toEqual([]);
});
