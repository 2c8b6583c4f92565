/**
 * What page and labd say over the one WebSocket, `/api/socket`.
 *
 * Knows: text frames (JSON, below). Binary frames are terminal bytes (packages/terminal/src/protocol.ts).
 * Does not know: how either side works.
 *
 *     page                                   labd
 *      ├─ hello {token, journal, after} ─────▶│   first frame, within 5 s; no token in any URL
 *      │◀──────────── welcome {journal, …} ───┤
 *      │◀──────────── journal {events} ───────┤   batches, ascending seq, starting after `after`
 *      ├─ terminal.open {terminal, offset} ──▶│
 *      │◀── terminal.opened {channel, …} ─────┤   then binary output frames from `offset`
 *      ├─ ping {id} ─────────────────────────▶│   every 10 s; two missed: the page reconnects
 *      │◀───────────────────── pong {id} ─────┤
 */
import type { JournalEvent } from '@slipway/journal/types';
import { z } from 'zod';
import type { Failure, MachineStatus, TaskProgress, TerminalInfo } from './session.ts';
import { WorkbenchRequest } from './workbench.ts';
import type { BirthView } from './workbench-answers.ts';

export const ClientMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    token: z.string().max(200),
    /** Random, made when the page loads and kept over its reconnects: input is numbered per page, so that two tabs can type. */
    page: z.string().max(100).optional(),
    /** Journal the page already holds, and the last seq of it; absent: none. */
    journal: z.string().max(100).optional(),
    after: z.number().int().min(0).optional(),
    /** The lesson on the page: its checks are evaluated continuously. */
    lesson: z.string().max(100).optional(),
  }),
  z.object({ type: z.literal('lesson'), lesson: z.string().max(100) }),
  z.object({
    type: z.literal('terminal.open'),
    terminal: z.string().max(100),
    /** Output bytes the page already has; 0 and no `epoch`: a screen snapshot is wanted. */
    offset: z.number().int().min(0),
    /** As told by terminal.opened; another epoch means the numbering began anew. */
    epoch: z.string().max(100).optional(),
    cols: z.number().int().min(2).max(1000),
    rows: z.number().int().min(1).max(1000),
  }),
  z.object({ type: z.literal('terminal.detach'), terminal: z.string().max(100) }),
  z.object({
    type: z.literal('terminal.resize'),
    terminal: z.string().max(100),
    cols: z.number().int().min(2).max(1000),
    rows: z.number().int().min(1).max(1000),
  }),
  /** Output up to `offset` has been drawn. */
  z.object({ type: z.literal('terminal.ack'), terminal: z.string().max(100), offset: z.number().int().min(0) }),
  z.object({ type: z.literal('ping'), id: z.number() }),
  /** For the agent in the machine; answered by `workbench.answer` with the same id. Births end with the connection. */
  z.object({ type: z.literal('workbench'), id: z.number().int().min(0), request: WorkbenchRequest }),
]);
export type ClientMessage = z.infer<typeof ClientMessage>;

export type ServerMessage =
  | {
      readonly type: 'welcome';
      readonly journal: string;
      readonly firstSeq: number;
      readonly lastSeq: number;
      readonly machine: MachineStatus;
      readonly terminals: readonly TerminalInfo[];
    }
  /** Another machine, another journal: forget the old one. */
  | { readonly type: 'journal.new'; readonly journal: string }
  | { readonly type: 'journal'; readonly journal: string; readonly events: readonly JournalEvent[] }
  | { readonly type: 'machine'; readonly machine: MachineStatus }
  | { readonly type: 'terminals'; readonly terminals: readonly TerminalInfo[] }
  | {
      readonly type: 'terminal.opened';
      readonly terminal: string;
      readonly channel: number;
      readonly epoch: string;
      readonly role: TerminalInfo['role'];
      /** Present when the bytes from the asked offset are no longer held: clear the screen, write this, continue at `offset`. */
      readonly snapshot?: string;
      readonly offset: number;
      /** Input bytes taken from this session so far: the page numbers its next input frame from here. */
      readonly inputOffset: number;
      readonly cols: number;
      readonly rows: number;
    }
  | { readonly type: 'terminal.exited'; readonly terminal: string; readonly exitCode: number }
  | { readonly type: 'progress'; readonly lesson: string; readonly tasks: readonly TaskProgress[] }
  /** The lesson's files changed on disk (development): load it again. */
  | { readonly type: 'lesson.changed'; readonly lesson: string }
  | { readonly type: 'pong'; readonly id: number }
  /** `result` is the answer to the request's kind (workbench-answers.ts). */
  | { readonly type: 'workbench.answer'; readonly id: number; readonly result: unknown }
  | { readonly type: 'workbench.answer'; readonly id: number; readonly failure: Failure }
  | { readonly type: 'workbench.event'; readonly event: BirthView }
  | { readonly type: 'failure'; readonly failure: Failure; readonly about?: string };
