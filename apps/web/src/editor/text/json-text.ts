/**
 * A config.json as the text somebody is editing: values and places in it by JSON pointer.
 *
 * Knows: JSON with comments, which the editor allows and every runtime refuses; pointers; offsets in UTF-16 units.
 * Does not know: what a config.json may hold, nor the editor's view.
 */
import {
  createScanner,
  findNodeAtLocation,
  getLocation,
  type JSONPath,
  type Node,
  type ParseError,
  parse,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';

export interface TextRange {
  readonly from: number;
  readonly to: number;
}

/** The document as a value; numbers beyond 2^53 are rounded, so it is for looking only. Undefined while the text is broken. */
export function readValue(text: string): unknown {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: false });
  return errors.length > 0 ? undefined : value;
}

/** Where the text stops being JSON, in words. */
export function syntaxFaults(text: string): readonly { readonly range: TextRange; readonly message: string }[] {
  const errors: ParseError[] = [];
  parse(text, errors, { allowTrailingComma: false });
  return errors.map(({ error, offset, length }) => ({
    range: { from: offset, to: offset + Math.max(length, 1) },
    message: words(printParseErrorCode(error)),
  }));
}

/** `CommaExpected` → `a comma is expected here`. */
function words(code: string): string {
  const [, what] = /^(\w+)Expected$/.exec(code) ?? [];
  const plain = (name: string) => name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return what === undefined ? plain(code) : `${plain(what)} is expected here`;
}

/** The text as runtimes read it: every comment gone, everything else where it was. */
export function withoutComments(text: string): string {
  const scanner = createScanner(text);
  let out = '';
  for (let token = scanner.scan(); token !== SyntaxKind.EOF; token = scanner.scan()) {
    const part = text.slice(scanner.getTokenOffset(), scanner.getTokenOffset() + scanner.getTokenLength());
    const isComment = token === SyntaxKind.LineCommentTrivia || token === SyntaxKind.BlockCommentTrivia;
    out += isComment ? part.replace(/[^\r\n]/g, ' ') : part;
  }
  return out;
}

// jsonc-parser declares these as a const enum, which isolated modules cannot read.
const SyntaxKind = { LineCommentTrivia: 12, BlockCommentTrivia: 13, EOF: 17 } as const;

/** The pointer of the value (or key) at an offset; `''` outside of any. */
export function pointerAt(text: string, offset: number): string {
  return formatPointer(getLocation(text, offset).path.filter((part) => part !== ''));
}

/** Where the value of a pointer stands, its key included; undefined where there is none. */
export function rangeOf(text: string, pointer: string): TextRange | undefined {
  const tree = parseDocument(text);
  const node = tree && findNode(tree, pointerParts(pointer));
  if (!node) return undefined;
  const whole = node.parent?.type === 'property' ? node.parent : node;
  return { from: whole.offset, to: whole.offset + whole.length };
}

/** As {@link rangeOf}, cut to one line where there is more; a field that is not there is looked for at its parents' keys. Undefined only where there is no document at all. */
export function nearestRange(text: string, pointer: string): TextRange | undefined {
  for (let path = pointer; ; path = path.slice(0, Math.max(path.lastIndexOf('/'), 0))) {
    const range = rangeOf(text, path);
    if (range) return firstLine(text, range);
    if (path === '') return undefined;
  }
}

/** What stands at a pointer of a value; undefined where nothing does. */
export function valueAt(value: unknown, pointer: string): unknown {
  let found = value;
  for (const part of pointerParts(pointer)) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, part)) return undefined;
    found = (found as Record<string, unknown>)[part];
  }
  return found;
}

/** The tree of a text, as far as it can be read; comments are passed over. */
export function parseDocument(text: string): Node | undefined {
  return parseTree(text, undefined, { allowTrailingComma: false });
}

/** The value of a pointer's parts in a tree. */
export function findNode(tree: Node, parts: readonly string[]): Node | undefined {
  const path: JSONPath = [];
  let node: Node | undefined = tree;
  for (const part of parts) {
    if (node?.type === 'array' && !/^[0-9]+$/.test(part)) return undefined;
    path.push(node?.type === 'array' ? Number(part) : part);
    node = findNodeAtLocation(tree, path);
  }
  return node;
}

export function pointerParts(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function formatPointer(path: JSONPath): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function firstLine(text: string, { from, to }: TextRange): TextRange {
  const end = text.indexOf('\n', from);
  return { from, to: end < 0 || end > to ? to : end };
}
