/**
 * A lesson's MDX text to data the page can draw.
 *
 * Knows: the front matter's fields and the closed list of elements a lesson may contain.
 * Does not know: React, or where the text came from. Nothing in a lesson is ever executed: expressions, imports and
 * unknown elements are errors, so a lesson from a stranger can't run code in anybody's page.
 */
import { EngineError, type Issue } from '@slipway/errors';
import type { Root, RootContent } from 'mdast';
import remarkGfm from 'remark-gfm';
import remarkMdx from 'remark-mdx';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { toNodes } from './to-nodes.ts';
import type { LessonMeta, LessonNode } from './types.ts';

export interface ParsedLesson {
  readonly meta: LessonMeta;
  readonly body: readonly LessonNode[];
}

/** A lesson is prose; more than this is a mistake. */
const MAX_LESSON_BYTES = 256 * 1024;

const FrontMatter = z.strictObject({
  number: z.string().regex(/^\d\d$/),
  slug: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
  title: z.string().min(1).max(100),
  summary: z.string().min(1).max(300),
  track: z.string().min(1).max(60),
  minutes: z.number().int().min(1).max(60),
  panels: z
    .array(
      z.enum(['processes', 'namespaces', 'cgroups', 'layers', 'image-graph', 'calls', 'birth', 'pull-timeline', 'build-graph', 'disk']),
    )
    .min(1),
  claims: z.array(z.string().min(1).max(300)).min(1),
});

/**
 * @param name what the issues call the text, e.g. the file's name
 * @throws EngineError `invalid-argument` / `E_LESSON_INVALID` with every issue, each at `line` or front-matter field
 */
export function parseLesson(text: string, name: string): ParsedLesson {
  if (text.length > MAX_LESSON_BYTES) throw invalid(name, [{ path: '', message: `is longer than ${MAX_LESSON_BYTES} bytes` }]);
  const { frontMatter, prose, firstLine } = splitFrontMatter(text, name);
  const meta = FrontMatter.safeParse(parseFrontMatter(frontMatter, name));
  const issues: Issue[] = meta.success
    ? []
    : meta.error.issues.map((issue) => ({ path: `/${issue.path.join('/')}`, message: issue.message }));
  const body = toNodes(parseProse(prose, name).children as RootContent[], firstLine, issues);
  if (!meta.success || issues.length > 0) throw invalid(name, issues);
  return { meta: meta.data, body };
}

function splitFrontMatter(text: string, name: string): { frontMatter: string; prose: string; firstLine: number } {
  const [whole = '', frontMatter = ''] = /^---\n([\s\S]*?)\n---\n/.exec(text) ?? [];
  if (whole === '') throw invalid(name, [{ path: '', message: 'does not begin with front matter between two lines of ---' }]);
  return { frontMatter, prose: text.slice(whole.length), firstLine: whole.split('\n').length };
}

function parseFrontMatter(text: string, name: string): unknown {
  try {
    return parseYaml(text, { maxAliasCount: 0 });
  } catch (cause) {
    throw invalid(name, [{ path: '/', message: `front matter is not YAML: ${String(cause)}` }]);
  }
}

function parseProse(prose: string, name: string): Root {
  try {
    return unified().use(remarkParse).use(remarkGfm).use(remarkMdx).parse(prose);
  } catch (cause) {
    throw invalid(name, [{ path: '', message: `is not MDX: ${cause instanceof Error ? cause.message : String(cause)}` }]);
  }
}

function invalid(name: string, issues: readonly Issue[]): EngineError {
  const [first] = issues;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  return new EngineError('invalid-argument', `lesson ${JSON.stringify(name)}: ${first?.path ?? ''} ${first?.message ?? ''}${more}`, {
    code: 'E_LESSON_INVALID',
    op: 'lesson.parse',
    subject: name,
    hint: 'packages/lessons/README.md lists the front matter and the elements a lesson may use',
    issues,
  });
}
