/**
 * Why a step is done again: what went into it now beside what went into it the last time.
 *
 * Knows: the steps of the last builds, and which difference matters most to somebody who wonders.
 * Does not know: results, which the cache keeps; what is remembered here goes with the daemon.
 */
import type { CacheMiss } from '@slipway/journal';

/** Path and digest of each file that a step takes. */
export type StepFiles = readonly (readonly [path: string, digest: string])[];

/** Everything that decides what a step makes, by what it is to people. */
export interface Ingredients {
  /** Chain id of what the step stands on; absent for a step that does not depend on it. */
  readonly above?: string;
  readonly parts: Readonly<Record<string, unknown>>;
  readonly files?: StepFiles;
}

/** Which step of which build this is. */
export interface StepPlace {
  /** First name of the image, without its tag; `''` for one without. */
  readonly build: string;
  readonly stage: number;
  /** Of the stage's instructions, from 0. */
  readonly ordinal: number;
  /** Keyword and text. */
  readonly text: string;
}

interface Remembered {
  readonly text: string;
  readonly above: string;
  readonly parts: ReadonlyMap<string, string>;
  readonly files: ReadonlyMap<string, string>;
}

const MAX_STEPS = 500;
const MAX_FILES = 300;
const MAX_NAMED = 5;
const MAX_NAME = 80;

export class StepMemory {
  readonly #byText = new Map<string, Remembered>();
  readonly #byOrdinal = new Map<string, Remembered>();

  /** Call when a step's result was found or made. */
  remember(place: StepPlace, { above = '', parts, files = [] }: Ingredients): void {
    const entry: Remembered = {
      text: place.text.slice(0, 2000),
      above,
      parts: new Map(Object.entries(parts).map(([name, value]) => [name, toText(value)])),
      files: new Map(files.slice(0, MAX_FILES).map(([path, digest]) => [path, digest.slice(0, 24)])),
    };
    keep(this.#byText, textKey(place), entry);
    keep(this.#byOrdinal, ordinalKey(place), entry);
  }

  /** Why the cache has nothing for this step. */
  explain(place: StepPlace, { above = '', parts, files = [] }: Ingredients): CacheMiss {
    const before = this.#byText.get(textKey(place));
    if (before === undefined) {
      const other = this.#byOrdinal.get(ordinalKey(place));
      return other === undefined ? { reason: 'first' } : { reason: 'instruction', detail: [shorten(other.text)] };
    }
    const changed = changedFiles(before.files, files);
    if (changed.length > 0) return { reason: 'files', detail: named(changed) };
    const other = Object.entries(parts).flatMap(([name, value]) => (before.parts.get(name) === toText(value) ? [] : [name]));
    if (other.length > 0) return { reason: 'settings', detail: named(other) };
    return { reason: before.above === above ? 'gone' : 'above' };
  }
}

/** JSON has no word for what is absent. */
function toText(value: unknown): string {
  return JSON.stringify(value) ?? '';
}

function textKey({ build, stage, text }: StepPlace): string {
  return JSON.stringify([build, stage, text.slice(0, 2000)]);
}

function ordinalKey({ build, stage, ordinal }: StepPlace): string {
  return JSON.stringify([build, stage, ordinal]);
}

/** The newest last; the oldest goes. */
function keep(map: Map<string, Remembered>, key: string, entry: Remembered): void {
  map.delete(key);
  map.set(key, entry);
  const [oldest] = map.keys();
  if (map.size > MAX_STEPS && oldest !== undefined) map.delete(oldest);
}

function changedFiles(before: ReadonlyMap<string, string>, files: StepFiles): readonly string[] {
  const now = new Map(files.slice(0, MAX_FILES).map(([path, digest]) => [path, digest.slice(0, 24)]));
  return [
    ...[...now].flatMap(([path, digest]) => (before.get(path) === digest ? [] : [before.has(path) ? path : `${path} (new)`])),
    ...[...before.keys()].flatMap((path) => (now.has(path) ? [] : [`${path} (gone)`])),
  ];
}

function named(names: readonly string[]): readonly string[] {
  const shown = names.slice(0, MAX_NAMED).map(shorten);
  return names.length > MAX_NAMED ? [...shown, `${names.length - MAX_NAMED} more`] : shown;
}

function shorten(text: string): string {
  return text.length > MAX_NAME ? `${text.slice(0, MAX_NAME - 1)}…` : text;
}
