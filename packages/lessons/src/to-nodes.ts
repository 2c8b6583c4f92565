/**
 * Markdown's syntax tree to {@link LessonNode}s.
 *
 * Knows: which Markdown and JSX nodes a lesson may contain, and their attributes.
 * Does not know: front matter, or what an element looks like on the page.
 */
import type { Issue } from '@slipway/errors';
import type { RootContent } from 'mdast';
import type { MdxJsxFlowElement, MdxJsxTextElement } from 'mdast-util-mdx-jsx';
import type { LessonNode, LessonTag } from './types.ts';

/** Elements an author writes as JSX, with the attributes each needs. */
const COMPONENTS: Readonly<Partial<Record<LessonTag, readonly string[]>>> = {
  Task: ['id'],
  Run: [],
  Myth: ['claim'],
  Quiz: ['id'],
  Term: ['of'],
  Panel: ['name'],
};

/** Elements that stand by themselves rather than in a sentence. */
const BOXES: ReadonlySet<string> = new Set(['Task', 'Run', 'Myth', 'Quiz']);

const PLAIN: Readonly<Record<string, LessonTag>> = {
  paragraph: 'p',
  emphasis: 'em',
  strong: 'strong',
  blockquote: 'blockquote',
  listItem: 'li',
  tableRow: 'tr',
};

interface Context {
  readonly firstLine: number;
  readonly issues: Issue[];
}

/** Every node that is not allowed becomes an issue at its line instead of a node. */
export function toNodes(nodes: readonly RootContent[], firstLine: number, issues: Issue[]): readonly LessonNode[] {
  return convertAll(nodes, { firstLine, issues });
}

function convertAll(nodes: readonly RootContent[], context: Context): readonly LessonNode[] {
  return nodes.flatMap((node) => convert(node, context));
}

function convert(node: RootContent, context: Context): readonly LessonNode[] {
  if (node.type === 'paragraph' && node.children.length > 0 && node.children.every(isAloneOnItsLine)) {
    return convertAll(node.children, context).filter((child) => child.kind === 'element');
  }
  const plain = PLAIN[node.type];
  if (plain !== undefined && 'children' in node) return [element(plain, {}, convertAll(node.children as RootContent[], context))];
  switch (node.type) {
    case 'text':
      return [text(node.value)];
    case 'heading':
      return [element(node.depth <= 2 ? 'h2' : 'h3', {}, convertAll(node.children, context))];
    case 'list':
      return [element(node.ordered ? 'ol' : 'ul', {}, convertAll(node.children, context))];
    case 'inlineCode':
      return [element('code', {}, [text(node.value)])];
    case 'code':
      return [element('pre', node.lang ? { language: node.lang } : {}, [text(node.value)])];
    case 'thematicBreak':
      return [element('hr', {}, [])];
    case 'break':
      return [element('br', {}, [])];
    case 'link':
      return convertLink(node.url, convertAll(node.children, context), lineOf(node, context), context);
    case 'table':
      return [convertTable(node.children as RootContent[], context)];
    case 'mdxJsxFlowElement':
    case 'mdxJsxTextElement':
      return convertComponent(node, context);
    default:
      return refuse(context, node, `${node.type} is not part of a lesson`);
  }
}

/** Markdown wraps a line that holds nothing but an element in a paragraph; a box inside a paragraph is no HTML. */
function isAloneOnItsLine(node: RootContent): boolean {
  if (node.type === 'text') return node.value.trim() === '';
  return (node.type === 'mdxJsxTextElement' || node.type === 'mdxJsxFlowElement') && BOXES.has(node.name ?? '');
}

/** Only places that a learner can trust to stay where they are: the web over https, or this page. */
function convertLink(url: string, children: readonly LessonNode[], path: string, context: Context): readonly LessonNode[] {
  if (/^(https:\/\/|#)/.test(url)) return [element('a', { href: url }, children)];
  context.issues.push({ path, message: `link ${JSON.stringify(url)} is neither https nor a place on this page` });
  return [];
}

function convertTable(rows: readonly RootContent[], context: Context): LessonNode {
  const [head, ...body] = rows.map((row) => ('children' in row ? (row.children as RootContent[]) : []));
  const cells = (row: readonly RootContent[], tag: 'th' | 'td') =>
    row.map((cell) => element(tag, {}, 'children' in cell ? convertAll(cell.children as RootContent[], context) : []));
  return element('table', {}, [
    element('thead', {}, [element('tr', {}, cells(head ?? [], 'th'))]),
    element(
      'tbody',
      {},
      body.map((row) => element('tr', {}, cells(row, 'td'))),
    ),
  ]);
}

function convertComponent(node: MdxJsxFlowElement | MdxJsxTextElement, context: Context): readonly LessonNode[] {
  const tag = node.name as LessonTag;
  const required = COMPONENTS[tag];
  if (required === undefined)
    return refuse(context, node, `<${node.name ?? ''}> is not an element of lessons; there are ${Object.keys(COMPONENTS).join(', ')}`);
  const props: Record<string, string> = {};
  for (const attribute of node.attributes) {
    if (attribute.type === 'mdxJsxAttribute' && typeof attribute.value === 'string') props[attribute.name] = attribute.value;
    else return refuse(context, node, `<${tag}> takes attributes in quotes only, no {expressions}`);
  }
  const missing = required.filter((name) => props[name] === undefined);
  if (missing.length > 0) return refuse(context, node, `<${tag}> lacks ${missing.join(', ')}`);
  const children = convertAll(node.children as RootContent[], context);
  // A command is taken as it stands, whether or not the author put it in backticks to keep Markdown from reading it.
  return [element(tag, props, tag === 'Run' ? [text(plainText(children).trim())] : children)];
}

/** The words of nodes without their markup. */
export function plainText(nodes: readonly LessonNode[]): string {
  return nodes.map((node) => (node.kind === 'text' ? node.text : plainText(node.children))).join('');
}

function refuse(context: Context, node: RootContent, message: string): readonly LessonNode[] {
  context.issues.push({ path: lineOf(node, context), message });
  return [];
}

function lineOf(node: RootContent, { firstLine }: Context): string {
  return `line ${(node.position?.start.line ?? 1) + firstLine - 1}`;
}

function element(tag: LessonTag, props: Readonly<Record<string, string>>, children: readonly LessonNode[]): LessonNode {
  return { kind: 'element', tag, props, children };
}

function text(value: string): LessonNode {
  return { kind: 'text', text: value };
}
