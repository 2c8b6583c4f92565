/**
 * One fetch of a blob however many want it.
 *
 *     first ──┐
 *     second ─┼─▶ one fetch, ended only when nobody waits for it any more
 *     third ──┘
 *
 * Knows: who waits.
 * Does not know: what is fetched.
 */

export type FetchWork<T> = (options: { readonly signal: AbortSignal; readonly onProgress: (bytes: number) => void }) => Promise<T>;

interface Waiter {
  readonly onProgress: (bytes: number) => void;
}

interface Running {
  readonly result: Promise<unknown>;
  readonly controller: AbortController;
  readonly waiters: Set<Waiter>;
}

export interface Joined<T> {
  /** True when somebody else's fetch did it. */
  readonly isShared: boolean;
  readonly value: T;
}

/** Fetches in progress, by digest. */
export class SharedFetches {
  readonly #running = new Map<string, Running>();

  /**
   * Joins the fetch of `key`, or begins it with `work`. When a fetch that somebody else began fails, it is tried with `work`: what failed may
   * have been the other's registry. @throws the signal's reason when it aborts; the fetch goes on for those who still wait
   */
  async join<T>(
    key: string,
    work: FetchWork<T>,
    options: { readonly signal?: AbortSignal | undefined; readonly onProgress: (bytes: number) => void },
  ): Promise<Joined<T>> {
    const { signal, onProgress } = options;
    for (;;) {
      signal?.throwIfAborted();
      const known = this.#running.get(key);
      const running = known ?? this.#begin(key, work);
      const waiter: Waiter = { onProgress };
      running.waiters.add(waiter);
      try {
        return { isShared: known !== undefined, value: (await orAborted(running.result, signal)) as T };
      } catch (error) {
        if (known === undefined || signal?.aborted === true) throw error;
      } finally {
        running.waiters.delete(waiter);
        if (running.waiters.size === 0) running.controller.abort();
      }
    }
  }

  #begin<T>(key: string, work: FetchWork<T>): Running {
    const controller = new AbortController();
    const waiters = new Set<Waiter>();
    const onProgress = (bytes: number) => {
      for (const waiter of waiters) waiter.onProgress(bytes);
    };
    const result = work({ signal: controller.signal, onProgress }).finally(() => this.#running.delete(key));
    result.catch(() => undefined); // everybody may have left
    const running: Running = { result, controller, waiters };
    this.#running.set(key, running);
    return running;
  }
}

function orAborted<T>(result: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return result;
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason as Error);
    signal.addEventListener('abort', leave, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
