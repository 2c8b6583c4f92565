/**
 * What page and labd say to each other over HTTP.
 *
 * Knows: paths, bodies and answers under `/api`.
 * Does not know: the WebSocket (socket.ts), nor how either side works.
 *
 * Every request but login carries the session cookie; every POST also a JSON body and the header `x-slipway: <token>`
 * with the token of GET /api/session. Failures answer {@link Failure} with a fitting status.
 *
 *     POST /api/login                     LoginRequest        → Session          one-time code from the address's fragment
 *     GET  /api/session                                       → Session          401 without a valid cookie
 *     GET  /api/lessons                                       → LessonListing
 *     GET  /api/lessons/:slug                                 → LessonView
 *     POST /api/lessons/:slug/hint        HintRequest         → Hint
 *     POST /api/lessons/:slug/solution    TaskRequest         → Solution
 *     POST /api/lessons/:slug/quiz        QuizAnswer          → QuizVerdict
 *     POST /api/lessons/:slug/reset       {}                  → LessonView       forgets this lesson's progress
 *     POST /api/machine/reset             {}                  → MachineStatus    a new machine in place of the old
 *     GET  /api/terminals                                     → TerminalListing
 *     POST /api/terminals                 {}                  → TerminalInfo
 *     POST /api/terminals/:id/close       {}                  → {}
 *     GET  /api/journal                                       → application/x-ndjson, one JournalEvent a line, for saving and replay
 *     GET  /api/config-schema                                 → JSON Schema of a config.json, for the editor (packages/oci/src/schema)
 *     GET  /healthz                                           → {status:'ok'}     no session needed
 */
import { z } from 'zod';

export const Failure = z.object({
  /** Stable, listed in docs/errors.md. */
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
});
export type Failure = z.infer<typeof Failure>;

export const LoginRequest = z.object({ code: z.string().min(1).max(200) });
export type LoginRequest = z.infer<typeof LoginRequest>;

export const MachineStatus = z.object({
  id: z.string(),
  state: z.enum(['creating', 'ready', 'resetting', 'failed']),
  /** Why it failed, and what to do. */
  problem: z.string().optional(),
  memoryLimitBytes: z.number(),
  cpus: z.number(),
  pidsLimit: z.number(),
  /** How strongly it is held apart from the host: T0 … T3. */
  tier: z.string(),
  createdInMs: z.number().optional(),
});
export type MachineStatus = z.infer<typeof MachineStatus>;

export const Session = z.object({
  learner: z.object({ id: z.string(), name: z.string() }),
  /** Goes into the `x-slipway` header of every POST and into the socket's hello. */
  token: z.string(),
  version: z.string(),
  kernel: z.string(),
  cgroupMode: z.enum(['v1', 'v2', 'hybrid']),
  /** Whether kernel events are recorded; else why not. */
  kernelTrace: z.object({ available: z.boolean(), reason: z.string().optional() }),
  machine: MachineStatus,
});
export type Session = z.infer<typeof Session>;

export const TaskProgress = z.object({
  task: z.string(),
  status: z.enum(['open', 'passed', 'regressed']),
  saw: z.string().optional(),
  hintsShown: z.number(),
});
export type TaskProgress = z.infer<typeof TaskProgress>;

export const LessonSummary = z.object({
  number: z.string(),
  slug: z.string(),
  title: z.string(),
  summary: z.string(),
  /** The part of the curriculum it belongs to. */
  track: z.string(),
  minutes: z.number(),
  tasks: z.number(),
  passed: z.number(),
});
export type LessonSummary = z.infer<typeof LessonSummary>;

export const LessonListing = z.object({ lessons: z.array(LessonSummary) });
export type LessonListing = z.infer<typeof LessonListing>;

export const HintRequest = z.object({ task: z.string().max(100), grade: z.number().int().min(1).max(3) });
export const Hint = z.object({ text: z.string() });
export const TaskRequest = z.object({ task: z.string().max(100) });
export const Solution = z.object({ lines: z.array(z.string()) });
export const QuizAnswer = z.object({ question: z.string().max(100), option: z.number().int().min(0).max(20) });
export const QuizVerdict = z.object({ correct: z.boolean(), explanation: z.string() });
export type QuizVerdict = z.infer<typeof QuizVerdict>;

export const TerminalInfo = z.object({
  id: z.string(),
  title: z.string(),
  /** `owner` types and resizes; `viewer` only sees. */
  role: z.enum(['owner', 'co-driver', 'viewer']),
});
export type TerminalInfo = z.infer<typeof TerminalInfo>;
export const TerminalListing = z.object({ terminals: z.array(TerminalInfo) });

/** What GET /api/lessons/:slug answers; `document` is LessonDocument of @slipway/lessons. */
export interface LessonView<Document> {
  readonly document: Document;
  readonly progress: readonly TaskProgress[];
  readonly quizAnswered: readonly {
    readonly question: string;
    readonly option: number;
    readonly correct: boolean;
    readonly explanation: string;
  }[];
}
