/**
 * Finds what sources say about the runtime specification: `@spec` in docstrings, claims of proof in tests.
 *
 * Knows: how both are written.
 * Does not know: which statements there are (statements.ts), nor whether a claim is true; a test that can fail has to show that.
 *
 * Code:  `@spec runtime-spec/config.md#mounts`, or one statement of it, `@spec runtime-spec/config.md#mounts/order`.
 * Tests: the same in brackets in a title, or, for several, lines above the title: `// @proves runtime-spec: config.md#mounts/order …`.
 */
export interface Source {
  /** From the repository's root. */
  readonly path: string;
  readonly text: string;
}

export interface Tag {
  /** `config.md#mounts` or `config.md#mounts/order`. */
  readonly id: string;
  readonly path: string;
  /** A symbol, or a test's title; '' for a file as a whole. */
  readonly name: string;
}

/** What a test says of a statement, and of whom. */
export interface Proof extends Tag {
  /** Other runtimes that the same test runs against. */
  readonly peers: readonly string[];
  /** Differences that it knows, by their names in differences.ts. */
  readonly differences: readonly string[];
}

const PREFIX = 'runtime-spec/';
const IN_CODE = /@spec ((?:runtime-spec\/[\w.-]+#[\w/-]+(?:,\s+)?)+)/g;
const IN_TITLE = /(['"`])((?:(?!\1).)*?)\s*\[(runtime-spec\/[^\]]+)\]/g;
const DIFFERS = /differs\(under, '([\w-]+)'\)/g;
const ABOVE_TITLE = /((?:^[ \t]*\/\/ @proves runtime-spec: .+\n)+)/gm;

/** What a source says it implements. */
export function findClaims({ path, text }: Source): Tag[] {
  return [...text.matchAll(IN_CODE)].flatMap((match) => {
    const name = symbolOf(text, match.index);
    return idsIn(match[1] ?? '').map((id) => ({ id, path, name }));
  });
}

/** What a test says it proves. */
export function findProofs({ path, text }: Source): Proof[] {
  const titled = [...text.matchAll(IN_TITLE)].flatMap((match) => {
    const [, , title = '', ids = ''] = match;
    return idsIn(ids).map((id) => ({ id, path, name: title, ...peersOf(text, match.index) }));
  });
  const above = [...text.matchAll(ABOVE_TITLE)].flatMap((match) => {
    const below = match.index + match[0].length;
    return idsIn(match[1] ?? '').map((id) => ({ id, path, name: titleAfter(text, below), ...peersOf(text, below) }));
  });
  return [...titled, ...above];
}

/** Of the test at `index`: the group it stands in says on whom it runs, its body where somebody does otherwise. */
function peersOf(text: string, index: number): Pick<Proof, 'peers' | 'differences'> {
  const group = [...text.slice(0, index).matchAll(/^describe.*$/gm)].at(-1)?.[0] ?? '';
  const peers = /\bRUNTIMES\b/.test(group) ? ['runc', 'crun'] : /\bOURS_AND_RUNC\b/.test(group) ? ['runc'] : [];
  const body = /^[\s\S]*?(?=\n\n|$(?![\s\S]))/.exec(text.slice(index).replaceAll(/\n\n(?= {4})/g, '\n'))?.[0] ?? '';
  return { peers, differences: [...group.matchAll(DIFFERS), ...body.matchAll(DIFFERS)].map(([, name = '']) => name) };
}

function idsIn(text: string): string[] {
  return text
    .split(/[\s,]+/)
    .map((word) => (word.startsWith(PREFIX) ? word.slice(PREFIX.length) : word))
    .filter((word) => word.includes('#'));
}

/** What the comment at `index` stands before, or beside. */
function symbolOf(text: string, index: number): string {
  const lineStart = text.lastIndexOf('\n', index) + 1;
  const beside = /^\s*(?:readonly )?(\w+)\??:.*\/\//.exec(text.slice(lineStart, index));
  if (beside !== null) return beside[1] ?? '';
  const isLine = /^\s*\/\//.test(text.slice(lineStart, index));
  const end = text.indexOf(isLine ? '\n' : '*/', index);
  const after = text.slice(end + (isLine ? 1 : 2));
  const declared = /^\s*(?:export )?(?:async )?(?:function|const|class|interface|type) (\w+)/.exec(after);
  return declared?.[1] ?? /^\n? +(?:readonly |async )*(\w+)\??[(:]/.exec(after)?.[1] ?? '';
}

/** The first text in quotes after a comment: the title of the test below it. */
export function titleAfter(text: string, index: number): string {
  const [, , title = ''] = /(['"`])((?:\\.|(?!\1).)*)\1/.exec(text.slice(index)) ?? [];
  return title.replace(/\s*\[runtime-spec\/[^\]]+\]/, '');
}
