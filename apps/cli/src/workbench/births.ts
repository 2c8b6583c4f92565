/**
 * Every birth of this agent, and the watchdog over them.
 *
 * Knows: whose birth is whose, how many there may be, and that none outlives its page, a long idleness, or the agent.
 * Does not know: how a birth goes (birth.ts).
 */
import type { BirthView, LeftOut, ProcessView } from '@slipway/contracts';
import { createLauncher } from '@slipway/launcher';
import { createRuntime, type Runtime } from '@slipway/runtime';
import { Birth, type Way } from './birth.ts';
import { removeOldBundles, WORKBENCH_DIR } from './bundle.ts';
import { unusable } from './failures.ts';

interface Entry {
  readonly page: number;
  readonly birth: Birth;
  idle: NodeJS.Timeout;
}

export interface BirthsOptions {
  /** A birth that nobody asked anything of for so long is undone. */
  readonly idleMs: number;
  /** A birth moved without being asked. */
  readonly onMove: (page: number, birth: BirthView) => void;
}

interface BeginRequest {
  readonly name: string;
  readonly image: string;
  readonly config: string;
  readonly without: LeftOut;
}

const MAX_BIRTHS = 6;
/** How long a started program is waited for before its page is answered; its end is told as an event. */
const START_WAIT_MS = 1500;
const PROGRAM_MS = 60 * 60 * 1000;

export class Births {
  readonly #options: BirthsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #launcher = createLauncher();
  /** Once for all births: the place is clean. */
  #ready: Promise<void> | undefined;

  constructor(options: BirthsOptions) {
    this.#options = options;
  }

  async begin(page: number, request: BeginRequest, way: Way): Promise<BirthView> {
    const key = `${page}-${request.name}`;
    await this.end(page, request.name);
    if (this.#entries.size >= MAX_BIRTHS) {
      throw unusable(`there are already ${MAX_BIRTHS} births`, 'E_WORKBENCH_BIRTH', 'end one of them');
    }
    const birth = await this.make(`birth-${key}`, request);
    this.#entries.set(key, { page, birth, idle: this.#watch(key) });
    try {
      await birth.begin(way);
    } catch (error) {
      await this.end(page, request.name);
      throw error;
    }
    return this.#named(request.name, await birth.view());
  }

  /** A birth that nobody steps through: whoever makes it ends it. */
  async make(id: string, { image, config, without }: Omit<BeginRequest, 'name'>): Promise<Birth> {
    this.#ready ??= removeLeftovers(this.#runtime(() => undefined));
    await this.#ready;
    const warnings: string[] = [];
    return new Birth(
      { id, image, config, without },
      this.#runtime((text) => warnings.push(text)),
      warnings,
    );
  }

  async go(page: number, name: string, way: Way): Promise<BirthView> {
    const { birth } = this.#require(page, name);
    await birth.go(way);
    return this.#named(name, await birth.view());
  }

  async start(page: number, name: string): Promise<BirthView> {
    const { birth } = this.#require(page, name);
    await birth.start();
    if (!(await birth.ended(START_WAIT_MS))) void this.#follow(page, name, birth);
    return this.#named(name, await birth.view());
  }

  async inspect(page: number, name: string): Promise<ProcessView> {
    const { process } = await this.#require(page, name).birth.view();
    if (process !== undefined) return process;
    throw unusable('there is no process at this point of the birth', 'E_WORKBENCH_BIRTH', 'go on beyond clone');
  }

  /** What somebody needs to enter it. */
  async entrance(
    page: number,
    name: string,
  ): Promise<{ readonly pid: number; readonly namespaces: ProcessView['namespaces'][number]['kind'][] }> {
    const { pid, namespaces } = await this.inspect(page, name);
    return { pid, namespaces: namespaces.filter(({ own }) => own).map(({ kind }) => kind) };
  }

  /** Quiet when there is none. */
  async end(page: number, name: string): Promise<void> {
    const key = `${page}-${name}`;
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    clearTimeout(entry.idle);
    await entry.birth.undo();
    this.#entries.delete(key);
  }

  async endAllOf(page: number): Promise<void> {
    for (const [key, entry] of [...this.#entries]) {
      if (entry.page === page) await this.end(page, key.slice(key.indexOf('-') + 1));
    }
  }

  async endAll(): Promise<void> {
    for (const page of new Set([...this.#entries.values()].map((entry) => entry.page))) await this.endAllOf(page);
  }

  async #follow(page: number, name: string, birth: Birth): Promise<void> {
    await birth.ended(PROGRAM_MS);
    if (birth.status === 'ended') this.#options.onMove(page, this.#named(name, await birth.view()));
  }

  #require(page: number, name: string): Entry {
    const key = `${page}-${name}`;
    const entry = this.#entries.get(key);
    if (entry === undefined) throw unusable(`there is no birth ${JSON.stringify(name)}`, 'E_WORKBENCH_BIRTH', 'begin it again');
    clearTimeout(entry.idle);
    entry.idle = this.#watch(key);
    return entry;
  }

  #watch(key: string): NodeJS.Timeout {
    return setTimeout(() => void this.#expire(key), this.#options.idleMs).unref();
  }

  async #expire(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    const name = key.slice(key.indexOf('-') + 1);
    await this.end(entry.page, name);
    this.#options.onMove(entry.page, this.#named(name, await entry.birth.view()));
  }

  #named(name: string, view: BirthView): BirthView {
    return { ...view, birth: name };
  }

  #runtime(onWarning: (message: string) => void): Runtime {
    return createRuntime({ root: `${WORKBENCH_DIR}/runtime`, launcher: this.#launcher, onWarning });
  }
}

/** What an agent before us left when it was killed. */
async function removeLeftovers(runtime: Runtime): Promise<void> {
  for (const { id } of await runtime.list()) await runtime.delete(id, { force: true });
  await removeOldBundles();
}
