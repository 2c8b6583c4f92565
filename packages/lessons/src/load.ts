/**
 * Lessons from their folders: prose and lab joined, and checked against each other.
 *
 *     content/en/01-a-container-is-a-process.mdx     content/en/glossary.yaml
 *     labs/01-a-container-is-a-process/lab.ts
 *
 * Knows: the folders' layout and what must agree between prose and lab.
 * Does not know: the file system; the caller brings {@link LessonFiles}.
 */
import { EngineError, type Issue } from '@slipway/errors';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { parseLesson } from './parse.ts';
import type { Lab, LessonDocument, LessonNode } from './types.ts';

/** What loading needs of a file system. Labs are code of this project, so they are imported, not parsed. */
export interface LessonFiles {
  /** Names in a directory; empty when there is none. */
  list(directory: string): Promise<readonly string[]>;
  readText(path: string): Promise<string>;
  /** The module at this path, read anew if it changed. */
  importModule(path: string): Promise<Readonly<Record<string, unknown>>>;
}

export interface LessonFolders {
  readonly contentDir: string;
  readonly labsDir: string;
  /** Folder below contentDir, e.g. `en`. */
  readonly locale: string;
}

/** A lesson as the server holds it: `document` may be shown, `lab` (checks, solutions, answers) stays here. */
export interface Lesson {
  readonly document: LessonDocument;
  readonly lab: Lab;
}

const Glossary = z.record(z.string(), z.string());
const MIN_DECOYS = 2;

/**
 * Every lesson of a locale, by number.
 * @throws EngineError `invalid-argument` / `E_LESSON_INVALID` for the first lesson with issues, listing all of them
 */
export async function loadLessons(files: LessonFiles, folders: LessonFolders): Promise<readonly Lesson[]> {
  const dir = `${folders.contentDir}/${folders.locale}`;
  const glossary = Glossary.parse(parseYaml(await files.readText(`${dir}/glossary.yaml`)));
  const names = (await files.list(dir)).filter((name) => name.endsWith('.mdx')).sort();
  return await Promise.all(names.map((name) => loadLesson(files, folders, name, glossary)));
}

async function loadLesson(
  files: LessonFiles,
  folders: LessonFolders,
  name: string,
  glossary: Readonly<Record<string, string>>,
): Promise<Lesson> {
  const { meta, body } = parseLesson(await files.readText(`${folders.contentDir}/${folders.locale}/${name}`), name);
  const folder = `${meta.number}-${meta.slug}`;
  const module = await files.importModule(`${folders.labsDir}/${folder}/lab.ts`);
  const lab = module['lab'] as Lab | undefined;
  if (lab === undefined) throw invalid(name, [{ path: `labs/${folder}/lab.ts`, message: 'does not export `lab`' }]);
  const issues = [...agreementIssues(body, lab, glossary), ...labIssues(lab, meta.slug)];
  if (`${folder}.mdx` !== name) issues.push({ path: '/slug', message: `the file should be called ${folder}.mdx` });
  if (issues.length > 0) throw invalid(name, issues);
  const used = propsOf(body, 'Term', 'of');
  return {
    lab,
    document: {
      meta,
      body,
      tasks: lab.tasks.map(({ id, title, hints }) => ({ id, title, hintCount: hints.length })),
      quiz: lab.quiz.map(({ id, question, options }) => ({ id, question, options })),
      glossary: Object.fromEntries(used.flatMap((term) => (glossary[term] === undefined ? [] : [[term, glossary[term]]]))),
    },
  };
}

/** Prose and lab name the same tasks and questions, each once, and every term is in the glossary. */
function agreementIssues(body: readonly LessonNode[], lab: Lab, glossary: Readonly<Record<string, string>>): Issue[] {
  const compare = (what: string, inProse: readonly string[], inLab: readonly string[]): Issue[] => [
    ...inProse.filter((id) => !inLab.includes(id)).map((id) => ({ path: `<${what} id="${id}">`, message: 'is not in the lab' })),
    ...inLab
      .filter((id) => inProse.filter((other) => other === id).length !== 1)
      .map((id) => ({ path: `lab ${what} ${id}`, message: 'must stand in the prose exactly once' })),
  ];
  return [
    ...compare(
      'Task',
      propsOf(body, 'Task', 'id'),
      lab.tasks.map(({ id }) => id),
    ),
    ...compare(
      'Quiz',
      propsOf(body, 'Quiz', 'id'),
      lab.quiz.map(({ id }) => id),
    ),
    ...propsOf(body, 'Term', 'of')
      .filter((term) => glossary[term] === undefined)
      .map((term) => ({ path: `<Term of="${term}">`, message: 'is not in glossary.yaml' })),
  ];
}

function labIssues(lab: Lab, slug: string): Issue[] {
  const issues: Issue[] = [];
  if (lab.lesson !== slug)
    issues.push({ path: 'lab.lesson', message: `is ${JSON.stringify(lab.lesson)}, should be ${JSON.stringify(slug)}` });
  if (lab.decoys.length < MIN_DECOYS)
    issues.push({
      path: 'lab.decoys',
      message: `a lab needs at least ${MIN_DECOYS} decoys: plausible wrong answers that its checks must reject`,
    });
  for (const decoy of lab.decoys) {
    if (!lab.tasks.some(({ id }) => id === decoy.task))
      issues.push({ path: `decoy ${decoy.name}`, message: `names no task of the lab: ${JSON.stringify(decoy.task)}` });
  }
  for (const question of lab.quiz) {
    if (question.options[question.answer] === undefined)
      issues.push({ path: `quiz ${question.id}`, message: `answer ${question.answer} is not among its options` });
  }
  return issues;
}

/** Values of one attribute of every element of a kind, in reading order. */
export function propsOf(nodes: readonly LessonNode[], tag: string, prop: string): string[] {
  return nodes.flatMap((node) => {
    if (node.kind === 'text') return [];
    const own = node.tag === tag ? [node.props[prop] ?? ''] : [];
    return [...own, ...propsOf(node.children, tag, prop)];
  });
}

function invalid(name: string, issues: readonly Issue[]): EngineError {
  const [first] = issues;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  return new EngineError('invalid-argument', `lesson ${JSON.stringify(name)}: ${first?.path ?? ''} ${first?.message ?? ''}${more}`, {
    code: 'E_LESSON_INVALID',
    op: 'lesson.load',
    subject: name,
    issues,
  });
}
