/**
 * What page and workbench agent say to each other about a config.json and about births.
 *
 * Knows: requests, each with its bounds; the answer to each kind is in workbench-answers.ts.
 * Does not know: how they travel. The page sends `workbench` messages on its socket (socket.ts); labd relays them as lines to the
 * agent, a program that runs inside the learner's machine, and believes nothing of what comes back before it has been read
 * through these schemas.
 *
 *     page                       labd                       agent (in the machine)
 *      ├─ workbench {id, …} ──────▶├─ {"id":7,"page":1,…} ─────▶│
 *      │◀── workbench.answer ──────┤◀── {"id":7,"result":…} ────┤
 *      │◀── workbench.event ───────┤◀── {"page":1,"event":…} ───┤   a birth moved without being asked
 *      ┊ (socket ends)             ├─ {"gone":1} ──────────────▶│   every birth of that page is undone
 */
import { z } from 'zod';
import { ImageQuestions } from './image-questions.ts';

/** A whole config.json as text: what cannot be parsed has to be told too. */
const Config = z.string().max(100_000);
const Image = z.string().min(1).max(300);
const RunRuntime = z.enum(['ours', 'runc', 'crun']);
const Index = z.number().int().min(0).max(10_000);
const Indexes = z.array(Index).max(1000);
const Run = z.number().int().min(1).max(0x7fff_ffff);
/** Chosen by the page, unique among its own births. */
const BirthName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/);

/** As the journal names them: in the engine's own store, nowhere else. */
const LayerDirectory = z
  .string()
  .max(1000)
  .regex(/^\/var\/lib\/slipway(?:-native)?\/(?!.*(?:^|\/)\.\.?(?:\/|$))[^\0]+$/);
/** An image has at most 127, and a container one more. */
export const MAX_LAYERS = 128;

export const NAMESPACE_KINDS = ['user', 'mount', 'pid', 'network', 'ipc', 'uts', 'cgroup', 'time'] as const;

/** What a birth does not get although its document asks for it: single operations, and namespaces, of which `clone` makes several. */
const LeftOut = z.object({
  operations: Indexes,
  namespaces: z.array(z.enum(NAMESPACE_KINDS)).max(8),
});
export type LeftOut = z.infer<typeof LeftOut>;

export const WorkbenchRequest = z.discriminatedUnion('do', [
  /** Images of the machine's engine. */
  z.object({ do: z.literal('images') }),
  /** A document to start from, for a bundle whose root directory is a copy of this image. */
  z.object({ do: z.literal('spec'), image: Image }),
  /** Containers that run in the machine's engine. */
  z.object({ do: z.literal('containers') }),
  z.object({ do: z.literal('fromContainer'), container: z.string().min(1).max(200) }),
  /** `docker run …` as typed; nothing is run. */
  z.object({ do: z.literal('fromDockerRun'), line: z.string().max(4000) }),
  /** What each layer of a file system has at a path, and in it. Directories are the machine's, lowest first. */
  z.object({ do: z.literal('layers'), directories: z.array(LayerDirectory).min(1).max(MAX_LAYERS), path: z.string().max(4000) }),
  ...ImageQuestions,
  z.object({ do: z.literal('validate'), config: Config }),
  z.object({ do: z.literal('plan'), config: Config }),
  z.object({
    do: z.literal('birth'),
    birth: BirthName,
    image: Image,
    config: Config,
    /** Stop before each of these. */
    breakpoints: Indexes,
    /** Go on past every breakpoint before this one; for going back by doing it again. */
    until: Index.optional(),
    without: LeftOut,
  }),
  z.object({
    do: z.literal('go'),
    birth: BirthName,
    /** `skip` leaves out the operation that it stands at. */
    how: z.enum(['step', 'continue', 'skip', 'start']),
    breakpoints: Indexes,
    /** With `continue`: to this operation, whatever breakpoints are before it. */
    until: Index.optional(),
  }),
  /** What the half-born container is at this moment. */
  z.object({ do: z.literal('inspect'), birth: BirthName }),
  /** A terminal in it, as far as it has come. labd opens it; the agent tells the process only. */
  z.object({ do: z.literal('shell'), birth: BirthName }),
  /** The same document brought to life by the machine's runc, with what runc asked of the kernel meanwhile, as the host recorded it. */
  z.object({ do: z.literal('peer'), image: Image, config: Config }),
  /** The same in a terminal of its own, for a program that wants one. labd opens it; it stays as long as the program. */
  z.object({ do: z.literal('openRun'), image: Image, config: Config, runtime: RunRuntime }),
  /** What the kernel shows of such a run, once its program has begun. */
  z.object({ do: z.literal('seeRun'), run: Run }),
  /** The bundle as files of the machine, to be used there by hand. It stays. */
  z.object({ do: z.literal('exportBundle'), image: Image, config: Config }),
  /** Ends a birth wherever it is, and undoes all of it. Quiet when there is none. */
  z.object({ do: z.literal('delete'), birth: BirthName }),
  /** Twice to the end, with a probe as its program: as the document says, and with something left out. */
  z.object({ do: z.literal('leaks'), image: Image, config: Config, without: LeftOut }),
  /** One whole run of the document, with what the kernel showed of each field meanwhile. */
  z.object({
    do: z.literal('run'),
    image: Image,
    config: Config,
    runtime: RunRuntime,
    /** A program that does not end by itself is ended after this time. */
    timeoutMs: z.number().int().min(100).max(60_000),
  }),
]);
export type WorkbenchRequest = z.infer<typeof WorkbenchRequest>;
export type WorkbenchVerb = WorkbenchRequest['do'];

/** One line to the agent. `page` tells whose births are whose. */
export const WorkbenchLine = z.union([
  z.object({ id: z.number().int().min(0), page: z.number().int().min(0), request: WorkbenchRequest }),
  z.object({ gone: z.number().int().min(0) }),
]);
export type WorkbenchLine = z.infer<typeof WorkbenchLine>;

/** Longest line either way, in bytes. */
export const WORKBENCH_LINE_BYTES = 2 * 1024 * 1024;
