/**
 * What labd remembers across restarts: learners, sessions, progress, how far an engine's feed was taken.
 *
 * Knows: the tables. SQLite in one file; every statement is one transaction.
 * Does not know: what a session may do, what a check means.
 */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { TaskState } from '@slipway/lessons';

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS learner (id TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS session (key TEXT PRIMARY KEY, learner TEXT NOT NULL, expires_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS task (
    learner TEXT, lesson TEXT, task TEXT, status TEXT NOT NULL, saw TEXT, hints INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (learner, lesson, task)) STRICT;
  CREATE TABLE IF NOT EXISTS quiz (
    learner TEXT, lesson TEXT, question TEXT, option INTEGER NOT NULL, PRIMARY KEY (learner, lesson, question)) STRICT;
  CREATE TABLE IF NOT EXISTS visit (
    learner TEXT, lesson TEXT, journal TEXT NOT NULL, after_seq INTEGER NOT NULL, prepared INTEGER NOT NULL,
    PRIMARY KEY (learner, lesson)) STRICT;
  CREATE TABLE IF NOT EXISTS feed (journal TEXT PRIMARY KEY, boot TEXT NOT NULL, n INTEGER NOT NULL) STRICT;
`;

export interface TaskRow extends TaskState {
  readonly hints: number;
}

/** Where a learner's work on a lesson begins in the journal of their machine. */
export interface Visit {
  readonly journal: string;
  readonly afterSeq: number;
  /** Whether the lab's own preparation was run in this journal's machine. */
  readonly prepared: boolean;
}

/** How far the events of one engine process were taken. */
export interface FeedMark {
  readonly boot: string;
  readonly n: number;
}

type Row = Record<string, string | number | bigint | null | Uint8Array>;

export class Store {
  readonly #db: DatabaseSync;

  constructor(path: string) {
    // Made by us first, so that it and the files SQLite puts beside it are nobody else's to read.
    if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600));
    this.#db = new DatabaseSync(path);
    this.#db.exec(SCHEMA);
  }

  close(): void {
    this.#db.close();
  }

  addLearner(id: string, name: string): void {
    this.#run('INSERT INTO learner VALUES (?, ?) ON CONFLICT DO NOTHING', id, name);
  }

  learnerName(id: string): string | undefined {
    const row = this.#get('SELECT name FROM learner WHERE id = ?', id);
    return row === undefined ? undefined : String(row['name']);
  }

  addSession(key: string, learner: string, expiresMs: number): void {
    this.#run('DELETE FROM session WHERE expires_ms < ?', Date.now());
    this.#run('INSERT INTO session VALUES (?, ?, ?)', key, learner, expiresMs);
  }

  /** The learner of a session that has not expired. */
  sessionLearner(key: string): string | undefined {
    const row = this.#get('SELECT learner FROM session WHERE key = ? AND expires_ms > ?', key, Date.now());
    return row === undefined ? undefined : String(row['learner']);
  }

  removeSession(key: string): void {
    this.#run('DELETE FROM session WHERE key = ?', key);
  }

  tasks(learner: string, lesson: string): readonly TaskRow[] {
    return this.#all('SELECT task, status, saw, hints FROM task WHERE learner = ? AND lesson = ?', learner, lesson).map(toTask);
  }

  passedCount(learner: string, lesson: string): number {
    const row = this.#get("SELECT count(*) AS n FROM task WHERE learner = ? AND lesson = ? AND status = 'passed'", learner, lesson);
    return Number(row?.['n'] ?? 0);
  }

  setTask(learner: string, lesson: string, { task, status, saw }: TaskState): void {
    const sql = `INSERT INTO task (learner, lesson, task, status, saw) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET status = excluded.status, saw = excluded.saw`;
    this.#run(sql, learner, lesson, task, status, saw ?? null);
  }

  /** The highest grade of hint shown. */
  showHint(learner: string, lesson: string, { task, grade }: { readonly task: string; readonly grade: number }): void {
    const sql = `INSERT INTO task (learner, lesson, task, status, hints) VALUES (?, ?, ?, 'open', ?)
      ON CONFLICT DO UPDATE SET hints = max(hints, excluded.hints)`;
    this.#run(sql, learner, lesson, task, grade);
  }

  quizAnswers(learner: string, lesson: string): ReadonlyMap<string, number> {
    const rows = this.#all('SELECT question, option FROM quiz WHERE learner = ? AND lesson = ?', learner, lesson);
    return new Map(rows.map((row) => [String(row['question']), Number(row['option'])]));
  }

  answerQuiz(learner: string, lesson: string, { question, option }: { readonly question: string; readonly option: number }): void {
    const sql = 'INSERT INTO quiz VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET option = excluded.option';
    this.#run(sql, learner, lesson, question, option);
  }

  visit(learner: string, lesson: string): Visit | undefined {
    const row = this.#get('SELECT journal, after_seq, prepared FROM visit WHERE learner = ? AND lesson = ?', learner, lesson);
    if (row === undefined) return undefined;
    return { journal: String(row['journal']), afterSeq: Number(row['after_seq']), prepared: row['prepared'] === 1 };
  }

  setVisit(learner: string, lesson: string, { journal, afterSeq, prepared }: Visit): void {
    const sql = `INSERT INTO visit VALUES (?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET journal = excluded.journal, after_seq = excluded.after_seq, prepared = excluded.prepared`;
    this.#run(sql, learner, lesson, journal, afterSeq, prepared ? 1 : 0);
  }

  forgetLesson(learner: string, lesson: string): void {
    for (const table of ['task', 'quiz', 'visit']) this.#run(`DELETE FROM ${table} WHERE learner = ? AND lesson = ?`, learner, lesson);
  }

  feed(journal: string): FeedMark | undefined {
    const row = this.#get('SELECT boot, n FROM feed WHERE journal = ?', journal);
    return row === undefined ? undefined : { boot: String(row['boot']), n: Number(row['n']) };
  }

  setFeed(journal: string, { boot, n }: FeedMark): void {
    this.#run('INSERT INTO feed VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET boot = excluded.boot, n = excluded.n', journal, boot, n);
  }

  forgetFeed(journal: string): void {
    this.#run('DELETE FROM feed WHERE journal = ?', journal);
  }

  #run(sql: string, ...values: (string | number | null)[]): void {
    this.#db.prepare(sql).run(...values);
  }

  #get(sql: string, ...values: (string | number)[]): Row | undefined {
    return this.#db.prepare(sql).get(...values);
  }

  #all(sql: string, ...values: (string | number)[]): Row[] {
    return this.#db.prepare(sql).all(...values);
  }
}

const STATUSES = ['open', 'passed', 'regressed'] as const;

function toTask(row: Row): TaskRow {
  const status = STATUSES.find((known) => known === row['status']) ?? 'open';
  const state = { task: String(row['task']), status, hints: Number(row['hints']) };
  return row['saw'] === null ? state : { ...state, saw: String(row['saw']) };
}
