/**
 * The lessons on disk, loaded and, where asked for, loaded again when their files change.
 *
 * Knows: which folders, when to look again; the last good state stays while an author's file is broken.
 * Does not know: the lesson format (@slipway/lessons), who reads.
 */
import { type FSWatcher, statSync, watch } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { type Lesson, type LessonFiles, type LessonFolders, loadLessons } from '@slipway/lessons';
import type { Log } from '../ports.ts';

const SETTLE_MS = 100;

export class LessonLibrary {
  readonly #folders: LessonFolders;
  readonly #log: Log;
  #lessons = new Map<string, Lesson>();
  readonly #watchers: FSWatcher[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(folders: LessonFolders, log: Log) {
    this.#folders = folders;
    this.#log = log;
  }

  /** Loads everything; a broken lesson leaves the state before and is logged with every issue. */
  async load(): Promise<void> {
    try {
      const lessons = await loadLessons(LESSON_FILES, this.#folders);
      this.#lessons = new Map(lessons.map((lesson) => [lesson.document.meta.slug, lesson]));
    } catch (error) {
      this.#log.error({ err: error }, 'the lessons cannot be loaded');
    }
  }

  /** In the order of their numbers. */
  all(): readonly Lesson[] {
    return [...this.#lessons.values()].toSorted((a, b) => a.document.meta.number.localeCompare(b.document.meta.number));
  }

  find(slug: string): Lesson | undefined {
    return this.#lessons.get(slug);
  }

  /** Calls back with the lessons whose document or lab is not what it was. */
  watch(onChange: (slugs: readonly string[]) => void): void {
    for (const dir of [this.#folders.contentDir, this.#folders.labsDir]) {
      this.#watchers.push(watch(dir, { recursive: true }, () => this.#reloadSoon(onChange)));
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
  }

  #reloadSoon(onChange: (slugs: readonly string[]) => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const before = this.#lessons;
      void this.load().then(() => {
        const slugs = [...this.#lessons].filter(([slug, lesson]) => isChanged(before.get(slug), lesson)).map(([slug]) => slug);
        if (slugs.length > 0) onChange(slugs);
      });
    }, SETTLE_MS);
  }
}

/** A lab is code: a module loaded anew is another object, and an unchanged one the same. */
function isChanged(before: Lesson | undefined, after: Lesson): boolean {
  return before?.lab !== after.lab || JSON.stringify(before.document) !== JSON.stringify(after.document);
}

export const LESSON_FILES: LessonFiles = {
  list: async (directory) => await readdir(directory).catch(() => []),
  readText: async (path) => await readFile(path, 'utf8'),
  // The version in the address makes a changed file another module.
  importModule: async (path) => (await import(`${pathToFileURL(path).href}?v=${statSync(path).mtimeMs}`)) as Record<string, unknown>,
};
