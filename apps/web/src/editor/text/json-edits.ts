/**
 * Edits of a JSON text by pointer that touch nothing else: comments, spacing and the order of fields stay as somebody wrote them.
 *
 * Knows: where a field is put in, replaced or taken out, and how new text is indented.
 * Does not know: which fields there may be.
 */
import type { Node } from 'jsonc-parser';
import { findNode, parseDocument, pointerParts } from './json-text.ts';

export interface TextEdit {
  readonly from: number;
  readonly to: number;
  readonly insert: string;
}

/**
 * Puts `value` at `pointer`, making parents on the way; undefined takes the field away, and does nothing where there is none. `-` as
 * last part appends to an array. Empty while the text has no document.
 */
export function editsFor(text: string, pointer: string, value: unknown): readonly TextEdit[] {
  const tree = parseDocument(text);
  if (!tree) return [];
  const parts = pointerParts(pointer);
  const node = findNode(tree, parts);
  if (value === undefined) return node ? removal(text, node) : [];
  const layout = layoutOf(text);
  if (node) return [{ from: node.offset, to: end(node), insert: format(value, layout, depthOf(node)) }];
  let known = parts.length - 1;
  while (known > 0 && !findNode(tree, parts.slice(0, known))) known -= 1;
  const parent = findNode(tree, parts.slice(0, known)) ?? tree;
  const key = parts[known] ?? '';
  return insertion(text, parent, { key, value: nest(parts.slice(known + 1), value), layout });
}

export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  return [...edits]
    .sort((a, b) => b.from - a.from)
    .reduce((out, { from, to, insert }) => out.slice(0, from) + insert + out.slice(to), text);
}

interface Layout {
  readonly unit: string;
}

interface NewField {
  readonly key: string;
  readonly value: unknown;
  readonly layout: Layout;
}

/** `['a', 'b'], 1` → `{ a: { b: 1 } }`; `-` makes an array. */
function nest(parts: readonly string[], value: unknown): unknown {
  return parts.toReversed().reduce<unknown>((inner, part) => (part === '-' ? [inner] : { [part]: inner }), value);
}

function insertion(text: string, parent: Node, { key, value, layout }: NewField): readonly TextEdit[] {
  const depth = depthOf(parent);
  const field = (at: number) => `${parent.type === 'array' ? '' : `${JSON.stringify(key)}: `}${format(value, layout, at)}`;
  // A parent of another kind cannot hold the field: it becomes one that can.
  if (parent.type !== 'object' && parent.type !== 'array') {
    return [{ from: parent.offset, to: end(parent), insert: format(nest([key], value), layout, depth) }];
  }
  const last = parent.children?.at(-1);
  const margin = (levels: number) => `\n${layout.unit.repeat(levels)}`;
  if (!last) {
    const inside = text.slice(parent.offset + 1, end(parent) - 1).trimEnd();
    const at = parent.offset + 1 + inside.length;
    return [{ from: at, to: end(parent) - 1, insert: `${margin(depth + 1)}${field(depth + 1)}${margin(depth)}` }];
  }
  const ownLines = text.slice(parent.offset, parent.children?.[0]?.offset).includes('\n');
  const comma = { from: end(last), to: end(last), insert: ',' };
  const at = end(last) + (/^[ \t]*(\/\/[^\n]*|\/\*[^\n]*?\*\/)/.exec(text.slice(end(last)))?.[0].length ?? 0);
  const insert = ownLines ? `${margin(depth + 1)}${field(depth + 1)}` : ` ${field(depth)}`;
  return at === end(last) ? [{ from: at, to: at, insert: `,${insert}` }] : [comma, { from: at, to: at, insert }];
}

/** Takes the field and one comma; what stands between it and its neighbours as comments stays. */
function removal(text: string, node: Node): readonly TextEdit[] {
  const field = node.parent?.type === 'property' ? node.parent : node;
  const siblings = field.parent?.children ?? [];
  const index = siblings.indexOf(field);
  const next = siblings[index + 1];
  const before = siblings[index - 1];
  if (field.parent === undefined) return [];
  if (next) {
    const comma = commaAfter(text, end(field));
    const space = /^\s*/.exec(text.slice(comma + 1))?.[0].length ?? 0;
    return [{ from: field.offset, to: comma + 1 + space, insert: '' }];
  }
  const from = field.offset - (/\s*$/.exec(text.slice(0, field.offset))?.[0].length ?? 0);
  if (!before) return [{ from, to: end(field), insert: '' }];
  const comma = commaAfter(text, end(before));
  return [
    { from: comma, to: comma + 1, insert: '' },
    { from: Math.max(from, comma + 1), to: end(field), insert: '' },
  ];
}

/** Of the first comma that is not in a comment. */
function commaAfter(text: string, offset: number): number {
  const skipped = /^(\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/.exec(text.slice(offset))?.[0].length ?? 0;
  return offset + skipped;
}

function end(node: Node): number {
  return node.offset + node.length;
}

/** How many objects and arrays are around a value. */
function depthOf(node: Node): number {
  let depth = 0;
  for (let at = node.parent; at; at = at.parent) if (at.type !== 'property') depth += 1;
  return depth;
}

/** The document's own indentation; two spaces where it has none. */
function layoutOf(text: string): Layout {
  return { unit: /\n( +|\t)["/]/.exec(text)?.[1] ?? '  ' };
}

const LINE_MAX = 100;

/** Scalars and short lists of them in one line, everything else indented. */
function format(value: unknown, layout: Layout, depth: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const margin = (levels: number) => `\n${layout.unit.repeat(levels)}`;
  const block = (open: string, members: readonly string[], close: string) =>
    members.length === 0 ? open + close : `${open}${members.map((member) => margin(depth + 1) + member).join(',')}${margin(depth)}${close}`;
  if (Array.isArray(value)) {
    const line = `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
    const plain = value.every((item) => typeof item !== 'object' || item === null);
    if (plain && line.length <= LINE_MAX) return line;
    return block(
      '[',
      value.map((item) => format(item, layout, depth + 1)),
      ']',
    );
  }
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return block(
    '{',
    entries.map(([key, member]) => `${JSON.stringify(key)}: ${format(member, layout, depth + 1)}`),
    '}',
  );
}
