/**
 * A lesson and its lab, as data.
 *
 * Knows: what an author writes and what the page and the checker read.
 * Does not know: how MDX is parsed (parse.ts), how checks are evaluated (evaluate.ts). The browser imports this file; it imports only types.
 *
 *     content/en/01-a-container-is-a-process.mdx   prose with <Task>, <Hint>, <Run>, <Myth>, <Quiz>, <Term>, <Panel>
 *     labs/01-a-container-is-a-process/lab.ts       tasks: checks, hints, solution, decoys
 */
import type { ContainerFact, JournalEvent, LayersFact, ProcessFact } from '@slipway/journal/types';

export type PanelName =
  | 'processes'
  | 'namespaces'
  | 'cgroups'
  | 'layers'
  | 'image-graph'
  | 'calls'
  | 'birth'
  | 'pull-timeline'
  | 'build-graph'
  | 'disk';

/** Validated front matter of a lesson. */
export interface LessonMeta {
  /** `01`; unique, orders the lessons. */
  readonly number: string;
  /** `a-container-is-a-process`. */
  readonly slug: string;
  readonly title: string;
  readonly summary: string;
  /** The part of the curriculum it belongs to, as the list of lessons shows it. */
  readonly track: string;
  readonly minutes: number;
  readonly panels: readonly PanelName[];
  /** What the learner can verify, one sentence each. */
  readonly claims: readonly string[];
}

/** What a check may look at: the reduced journal plus the raw events. Nothing else, so that a check is a pure function. */
export interface CheckView {
  readonly containers: readonly ContainerFact[];
  /** Every container ever seen in this journal, removed ones included. */
  readonly everSeen: readonly ContainerFact[];
  readonly processes: readonly ProcessFact[];
  readonly layers: readonly LayersFact[];
  /** Since the lesson (or the machine) was last reset, oldest first. */
  readonly events: readonly JournalEvent[];
  /** Those before, as far back as they are kept: where processes were when the work began. Nothing that happened then counts. */
  readonly earlier: readonly JournalEvent[];
  /** The machine's own namespaces: those of its pid 1. */
  readonly machineNamespaces: ProcessFact['namespaces'];
}

export type CheckResult = { readonly passed: true } | { readonly passed: false; readonly saw: string; readonly expected: string };

/** Pure: same view, same answer. Continuous: evaluated after every batch of events. */
export type Check = (view: CheckView) => CheckResult;

export interface LabTask {
  readonly id: string;
  readonly title: string;
  readonly check: Check;
  /** Once passed it stays passed (an act was done); false: it can regress (a state must hold). */
  readonly latch: boolean;
  /** Three grades: where to look, what to use, nearly the command. */
  readonly hints: readonly [string, string, string];
  /** Lines typed into a real terminal by the acceptance run; shown to a learner only when asked for. */
  readonly solution: readonly string[];
}

/** Lines that look like a solution to one task and must not pass it: proof that the check checks something. */
export interface Decoy {
  readonly name: string;
  readonly task: string;
  readonly lines: readonly string[];
  /** One of the lines ends with another status than 0, and that is the point. Absent: none does; a line that only fails proves nothing. */
  readonly failsByDesign?: true;
}

export interface Lab {
  readonly lesson: string;
  /** Lines run as root in the fresh machine before the learner arrives. */
  readonly setup: readonly string[];
  readonly tasks: readonly [LabTask, ...LabTask[]];
  readonly decoys: readonly Decoy[];
  readonly quiz: readonly QuizQuestion[];
}

export interface QuizQuestion {
  readonly id: string;
  readonly question: string;
  readonly options: readonly string[];
  readonly answer: number;
  /** Why, and how it could have been measured. */
  readonly explanation: string;
}

/** A block of prose, already parsed and safe: what the page renders. No HTML, no code to run. */
export type LessonNode =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'element';
      readonly tag: LessonTag;
      readonly props: Readonly<Record<string, string>>;
      readonly children: readonly LessonNode[];
    };

/** Every element a lesson may contain; anything else is an error in the lesson. */
export type LessonTag =
  | 'h2'
  | 'h3'
  | 'p'
  | 'ul'
  | 'ol'
  | 'li'
  | 'em'
  | 'strong'
  | 'code'
  | 'pre'
  | 'a'
  | 'blockquote'
  | 'hr'
  | 'table'
  | 'thead'
  | 'tbody'
  | 'tr'
  | 'th'
  | 'td'
  | 'br'
  /** `<Task id="…">` prose of one task; its checkbox ticks by itself. */
  | 'Task'
  /** `<Run>docker run …</Run>` click-to-run command line. */
  | 'Run'
  /** Myth check box; `claim` is the popular sentence. */
  | 'Myth'
  /** `<Quiz id="…"/>` */
  | 'Quiz'
  /** `<Term of="namespace">` glossary term. */
  | 'Term'
  /** `<Panel name="processes" />` a link that opens an explorer. */
  | 'Panel';

/** What labd sends the page: no checks, no solutions, no quiz answers. */
export interface LessonDocument {
  readonly meta: LessonMeta;
  readonly body: readonly LessonNode[];
  readonly tasks: readonly { readonly id: string; readonly title: string; readonly hintCount: number }[];
  readonly quiz: readonly Omit<QuizQuestion, 'answer' | 'explanation'>[];
  /** Term → definition, those used in this lesson. */
  readonly glossary: Readonly<Record<string, string>>;
}
