/**
 * What the page knows, in stores that components subscribe to by slice.
 *
 * Knows: the shape of the page's state and its own small changes.
 * Does not know: the network (lab.ts fills the stores).
 */
import type { LessonSummary, MachineStatus, Session, TaskProgress, TerminalInfo } from '@slipway/contracts';
import { emptyWorld } from '@slipway/journal';
import type { LessonDocument, PanelName } from '@slipway/lessons/types';
import type { QuizState, Selection } from '@slipway/ui';
import { create } from 'zustand';
import { type ConnectionState, initialConnection } from '../net/connection-machine.ts';
import type { LinkStatus } from '../net/terminal-link.ts';
import type { Place } from './address.ts';
import type { Moment } from './journal-feed.ts';

export interface SessionState {
  readonly phase: 'starting' | 'signed-out' | 'unreachable' | 'ready';
  /** Why signing in failed, where it did. */
  readonly problem?: string;
  readonly session?: Session;
  readonly machine?: MachineStatus;
  readonly lessons: readonly LessonSummary[];
  readonly connection: ConnectionState;
}

export const useSession = create<SessionState>(() => ({ phase: 'starting', lessons: [], connection: initialConnection() }));

export const useMoment = create<Moment>(() => ({
  world: emptyWorld(),
  mode: 'live',
  atMs: 0,
  startMs: 0,
  endMs: 0,
  speed: 1,
  provenance: 'live',
  length: 0,
}));

export interface LessonState {
  readonly slug?: string;
  readonly document?: LessonDocument;
  readonly problem?: string;
  readonly progress: ReadonlyMap<string, TaskProgress>;
  readonly quiz: ReadonlyMap<string, QuizState>;
  readonly hints: ReadonlyMap<string, readonly string[]>;
  readonly solutions: ReadonlyMap<string, readonly string[]>;
}

export const EMPTY_LESSON: LessonState = {
  progress: new Map(),
  quiz: new Map(),
  hints: new Map(),
  solutions: new Map(),
};

export const useLessonState = create<LessonState>(() => EMPTY_LESSON);

export interface TerminalsState {
  readonly terminals: readonly TerminalInfo[];
  /** Whether the server has told which terminals there are. */
  readonly known: boolean;
  readonly active?: string;
  readonly status: ReadonlyMap<string, LinkStatus>;
  readonly fontSize: number;
  readonly screenReader: boolean;
}

export const useTerminals = create<TerminalsState>(() => ({
  terminals: [],
  known: false,
  status: new Map(),
  fontSize: 13,
  screenReader: false,
}));

export type PaneName = 'lesson' | 'explorers' | 'terminal';
export type Theme = 'system' | 'light' | 'dark';
export type OpenDialog = 'shortcuts' | 'lessons' | 'resets';
/** On a phone one sheet at a time covers the lesson. */
export type Sheet = 'explorers' | 'terminal';

export interface ViewState {
  readonly place: Place;
  readonly panel: PanelName;
  readonly as: 'picture' | 'text';
  readonly selection?: Selection;
  /** Names of the images that are looked at, in the image graph and in the layers. */
  readonly images?: readonly string[];
  /** Whose layers the layers explorer shows. */
  readonly layersOf: 'container' | 'image';
  /** Digest of the chosen part of an image. */
  readonly part?: string;
  /** A pane that fills the page. */
  readonly filled?: PaneName;
  readonly sheet?: Sheet;
  readonly dialog?: OpenDialog;
  readonly theme: Theme;
  readonly timelineOpen: boolean;
  /** A short message at the foot of the page. */
  readonly toast?: { readonly text: string; readonly tone: 'info' | 'bad'; readonly key: number };
}

export const useView = create<ViewState>(() => ({
  place: 'lab',
  panel: 'processes',
  as: 'picture',
  layersOf: 'container',
  theme: 'system',
  timelineOpen: false,
}));

let toastKey = 0;

/** Says something in passing; it leaves by itself. */
export function toast(text: string, tone: 'info' | 'bad' = 'info'): void {
  toastKey += 1;
  useView.setState({ toast: { text, tone, key: toastKey } });
}

/** Selects for all explorers; undefined clears. */
export function select(selection: Selection | undefined): void {
  useView.setState((state) => {
    const { selection: _old, ...rest } = state;
    return selection ? { ...rest, selection } : rest;
  }, true);
}

/** Removes an optional field of the view. */
export function clearView(field: 'filled' | 'sheet' | 'dialog' | 'toast'): void {
  useView.setState((state) => {
    const { [field]: _gone, ...rest } = state;
    return rest as ViewState;
  }, true);
}
