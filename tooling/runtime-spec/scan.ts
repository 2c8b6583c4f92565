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

const PREFIX = 'runtime-spec/';
const IN_CODE = /@spec ((?:runtime-spec\/[\w.-]+#[\w/-]+(?:,\s+)?)+)/g;
const IN_TITLE = /(['"`])((?:(?!\1).)*?)\s*\[(runtime-spec\/[^\]]+)\]/g;
const ABOVE_TITLE = /((?:^[ \t]*\/\/ @proves runtime-spec: .+\n)+)/gm;

/** What a source says it implements. */
export function findClaims({ path, text }: Source): Tag[] {
  return [...text.matchAll(IN_CODE)].flatMap((match) => {
    const name = symbolOf(text, match.index);
    return idsIn(match[1] ?? '').map((id) => ({ id, path, name }));
  });
}

/** What a test says it proves. */
export function findProofs({ path, text }: Source): Tag[] {
  const titled = [...text.matchAll(IN_TITLE)].flatMap(([, , title = '', ids = '']) => idsIn(ids).map((id) => ({ id, path, name: title })));
  const above = [...text.matchAll(ABOVE_TITLE)].flatMap((match) => {
    const name = titleAfter(text, match.index + match[0].length);
    return idsIn(match[1] ?? '').map((id) => ({ id, path, name }));
  });
  return [...titled, ...above];
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

function titleAfter(text: string, index: number): string {
  const [, , title = ''] = /(['"`])((?:\\.|(?!\1).)*)\1/.exec(text.slice(index)) ?? [];
  return title.replace(/\s*\[runtime-spec\/[^\]]+\]/, '');
}
