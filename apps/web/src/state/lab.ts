/**
 * The page's one controller: signs in, keeps the connection, feeds the stores, does what the controls ask for.
 *
 * Knows: Api, Connection, JournalFeed, the stores. Does not know: how anything is drawn.
 */
import type { ServerMessage } from '@slipway/contracts';
import type { TerminalFrame } from '@slipway/terminal/protocol';
import { ApiError } from '../net/api.ts';
import { Connection } from '../net/connection.ts';
import type { TerminalLink } from '../net/terminal-link.ts';
import { WorkbenchClient } from '../net/workbench-client.ts';
import { loginCode } from './address.ts';
import { api } from './api.ts';
import { JournalFeed, type Moment } from './journal-feed.ts';
import { loadLesson, takeProgress } from './lesson-actions.ts';
import { lessonOnPage, onLessonOnPage } from './lesson-on-page.ts';
import { toast, useMoment, useSession, useTerminals, useView } from './stores.ts';

export const feed = new JournalFeed(() => performance.now());

/** Input is numbered per page, so that two tabs of one session can type. */
const PAGE = globalThis.crypto?.randomUUID?.() ?? String(Math.random());

/** The lesson that the last hello told. */
let greetedWith: string | undefined;

/** Terminals that are drawn right now; each registers itself. */
const links = new Map<string, TerminalLink>();

export const connection = new Connection({
  hello: () => {
    const lesson = lessonOnPage();
    greetedWith = lesson;
    return {
      type: 'hello',
      token: api.token,
      page: PAGE,
      ...(feed.journal === undefined ? {} : { journal: feed.journal, after: feed.lastSeq }),
      ...(lesson === undefined ? {} : { lesson }),
    };
  },
  probe: async () => {
    try {
      const session = await api.session();
      useSession.setState({ session, machine: session.machine });
      return 'ok';
    } catch (error) {
      return error instanceof ApiError && error.status === 401 ? 'refused' : 'unreachable';
    }
  },
  state: (state) => {
    useSession.setState({ connection: state, ...(state.phase === 'signed-out' ? { phase: 'signed-out' as const } : {}) });
    if (state.phase === 'live') return;
    for (const link of links.values()) link.lost();
    workbench.lost();
  },
  message: receive,
  output: (frame: TerminalFrame) => {
    for (const link of links.values()) if (link.channel === frame.channel) link.output(frame.offset, frame.payload);
  },
});

/** The agent in the machine that knows about config.json documents and births. */
export const workbench = new WorkbenchClient((message) => connection.send(message));

onLessonOnPage((lesson) => connection.send({ type: 'lesson', lesson }));

/** Signs in (by code or cookie), loads the list of lessons, connects. Safe to call again after a failure. */
export async function startLab(): Promise<void> {
  useSession.setState({ phase: 'starting' });
  const code = loginCode(location.hash);
  if (code !== undefined) history.replaceState(null, '', location.pathname + location.search);
  try {
    const session = await signIn(code);
    if (!session) return;
    const { lessons } = await api.lessons();
    useSession.setState({ session, machine: session.machine, lessons, phase: 'ready' });
    connection.start();
    startFrames();
  } catch (error) {
    useSession.setState({ phase: 'unreachable', problem: error instanceof Error ? error.message : String(error) });
  }
}

/** A used code is no harm while the cookie is good: reloading or opening the same link again must work. */
async function signIn(code: string | undefined) {
  let problem: string | undefined;
  if (code !== undefined) {
    try {
      return await api.login(code);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 0) throw error;
      problem = error.message;
    }
  }
  try {
    return await api.session();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    useSession.setState({ phase: 'signed-out', ...(problem === undefined ? {} : { problem }) });
    return undefined;
  }
}

function receive(message: ServerMessage): void {
  switch (message.type) {
    case 'welcome':
      feed.begin(message.journal);
      useSession.setState({ machine: message.machine });
      takeTerminals(message.terminals);
      for (const link of links.values()) link.open();
      sayLesson();
      break;
    case 'journal.new':
      feed.begin(message.journal);
      break;
    case 'journal':
      feed.accept(message.journal, message.events);
      break;
    case 'machine':
      useSession.setState({ machine: message.machine });
      break;
    case 'terminals':
      takeTerminals(message.terminals);
      break;
    case 'terminal.opened':
      links.get(message.terminal)?.opened(message);
      break;
    case 'terminal.exited':
      links.get(message.terminal)?.exited(message.exitCode);
      break;
    case 'progress':
      takeProgress(message.lesson, message.tasks);
      break;
    case 'lesson.changed':
      if (message.lesson === lessonOnPage()) void loadLesson(message.lesson);
      break;
    case 'pong':
      break;
    case 'workbench.answer':
      workbench.answered(message);
      break;
    case 'workbench.event':
      workbench.moved(message.event);
      break;
    case 'failure':
      toast(message.failure.hint ? `${message.failure.message}: ${message.failure.hint}` : message.failure.message, 'bad');
      break;
  }
}

/** A lesson that was chosen between hello and welcome could not be told then. */
function sayLesson(): void {
  const lesson = lessonOnPage();
  if (lesson !== undefined && lesson !== greetedWith) connection.send({ type: 'lesson', lesson });
}

function takeTerminals(terminals: ReturnType<typeof useTerminals.getState>['terminals']): void {
  const { active } = useTerminals.getState();
  const still = terminals.find((terminal) => terminal.id === active) ?? terminals[0];
  useTerminals.setState({ terminals, known: true, ...(still ? { active: still.id } : {}) });
}

/** A drawn terminal takes part; call the returned function when it goes. */
export function attachTerminal(link: TerminalLink): () => void {
  links.set(link.id, link);
  if (connection.live) link.open();
  return () => {
    link.close();
    links.delete(link.id);
  };
}

/** Types into the active terminal as if by hand. @returns false when nothing took it */
export function typeText(text: string): boolean {
  const { active } = useTerminals.getState();
  const link = active === undefined ? undefined : links.get(active);
  const taken = link?.type(text) ?? false;
  if (!taken) toast(link?.role === 'viewer' ? 'you are watching this terminal; its owner types' : 'no terminal is open', 'bad');
  return taken;
}

/** Types a command and presses Enter; on a phone it also brings the terminal into view. */
export function runCommand(command: string): void {
  if (!typeText(`${command}\r`)) return;
  if (matchMedia('(max-width: 760px)').matches) useView.setState({ sheet: 'terminal' });
}

/** Puts a command at the prompt; the learner presses Enter. */
export function typeCommand(command: string): void {
  // Names of containers are part of commands: nothing in them may press a key.
  if (!typeText(command.replace(/[\u0000-\u001f\u007f-\u009f]/g, ''))) return;
  if (matchMedia('(max-width: 760px)').matches) useView.setState({ sheet: 'terminal' });
  document.querySelector<HTMLElement>('.terminal-view:not([hidden]) textarea')?.focus();
}

/** Runs `action`; a failure is said in passing instead of thrown. */
export async function orToast(action: Promise<unknown>): Promise<void> {
  try {
    await action;
  } catch (error) {
    toast(
      error instanceof ApiError && error.hint ? `${error.message}: ${error.hint}` : String(error instanceof Error ? error.message : error),
      'bad',
    );
  }
}

let frames = 0;
const IDLE_REFRESH_MS = 250;
/** The first event is drawn in the next frame; a storm of them is drawn so often and no more, which leaves time for everything else. */
const BUSY_REFRESH_MS = 48;

/** One publication a frame at most: what came since the last is drawn together. */
function startFrames(): void {
  if (frames !== 0) return;
  let length = -1;
  let publishedAt = 0;
  const frame = (now: number) => {
    feed.tick();
    const { mode, length: shown } = useMoment.getState();
    const waited = now - publishedAt;
    const due = mode === 'playing' || feed.events.length !== length || shown === 0 ? BUSY_REFRESH_MS : IDLE_REFRESH_MS;
    if (waited >= due) {
      const moment = feed.moment();
      if (changed(useMoment.getState(), moment)) useMoment.setState(moment, true);
      publishedAt = now;
      length = feed.events.length;
    }
    frames = requestAnimationFrame(frame);
  };
  frames = requestAnimationFrame(frame);
}

function changed(before: Moment, after: Moment): boolean {
  return (
    before.world !== after.world ||
    before.mode !== after.mode ||
    before.file !== after.file ||
    before.endMs !== after.endMs ||
    before.speed !== after.speed ||
    Math.abs(before.atMs - after.atMs) >= 1
  );
}

/** Publishes at once, for controls whose effect must be seen in this frame. */
export function publishNow(): void {
  useMoment.setState(feed.moment(), true);
}
