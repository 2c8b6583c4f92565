/**
 * One birth on the page: its document, where to stop, what to leave out, and how far it has come.
 *
 * Knows: the workbench's requests, and that operations change their numbers when a namespace is left out.
 * Does not know: how a birth is drawn.
 */
import type { BirthView, LeakProbe, PlannedOperation, ProcessView, WorkbenchIssue } from '@slipway/contracts';
import { objectText } from '@slipway/ui/birth';
import { create } from 'zustand';
import { untilAnswered } from '../net/patience.ts';
import type { WorkbenchClient } from '../net/workbench-client.ts';

export type NamespaceChoice = PlannedNamespace[number];
type PlannedNamespace = readonly ('user' | 'mount' | 'pid' | 'network' | 'ipc' | 'uts' | 'cgroup' | 'time')[];

export interface BirthState {
  readonly images: readonly string[];
  readonly image: string;
  readonly config: string;
  /** As planned, until a birth tells its own. */
  readonly operations: readonly PlannedOperation[];
  readonly issues: readonly WorkbenchIssue[];
  readonly breakpoints: ReadonlySet<number>;
  readonly leftOut: ReadonlySet<number>;
  readonly withoutNamespaces: ReadonlySet<NamespaceChoice>;
  readonly view: BirthView | undefined;
  /** At the stop before. */
  readonly before: ProcessView | undefined;
  readonly selected: number | undefined;
  /** What is under way. */
  readonly busy: string | undefined;
  /** What comes after that. */
  readonly awaited: string | undefined;
  readonly problem: string | undefined;
  readonly leaks: { readonly probes: readonly LeakProbe[]; readonly without: string; readonly failure?: string } | undefined;
}

const TAKING = 'taking the document';

const EMPTY: BirthState = {
  images: [],
  image: '',
  config: '',
  operations: [],
  issues: [],
  breakpoints: new Set(),
  leftOut: new Set(),
  withoutNamespaces: new Set(),
  view: undefined,
  before: undefined,
  selected: undefined,
  busy: undefined,
  awaited: undefined,
  problem: undefined,
  leaks: undefined,
};

export type BirthWorkbench = Pick<WorkbenchClient, 'ask' | 'onBirth'>;

/** One birth and everything that can be done with it. `name` tells it from the page's others. */
export class BirthStore {
  readonly name: string;
  readonly use = create<BirthState>(() => EMPTY);
  readonly #workbench: BirthWorkbench;
  /** Settles when what is under way has ended. */
  #underWay: Promise<void> = Promise.resolve();

  constructor(name: string, workbench: BirthWorkbench) {
    this.name = name;
    this.#workbench = workbench;
    workbench.onBirth((view) => {
      if (view.birth === name && this.#state.view !== undefined) this.#take(view);
    });
  }

  /** Asks for images and a first document, once; again, where a new machine's engine does not answer yet. */
  open(): Promise<void> {
    return this.#busy('asking the machine', async () => {
      if (this.#state.config !== '') return;
      const goesOn = (error: unknown) => {
        this.use.setState({ problem: explainFailure(error as Error) });
        return true;
      };
      const { images = [] } = (await untilAnswered(() => this.#workbench.ask<'images'>({ do: 'images' }), { goesOn })) ?? {};
      const [image = ''] = images;
      this.use.setState({ images, image, problem: undefined });
      if (image !== '') await this.#fresh(image);
    });
  }

  chooseImage(image: string): Promise<void> {
    return this.#busy('asking for a document', () => this.#fresh(image));
  }

  setConfig(config: string, image = this.#state.image): Promise<void> {
    this.use.setState({ config, image, leaks: undefined });
    return this.#busy('planning', () => this.#plan(config));
  }

  /**
   * Another document, for a birth that begins anew; the birth before is undone. Whoever hands it over does not see what is under way
   * here: it waits for that to end, and the status says so.
   */
  async take(config: string, image: string): Promise<void> {
    while (this.#state.busy !== undefined) {
      this.use.setState({ awaited: TAKING });
      await this.#underWay;
    }
    return this.#busy(TAKING, async () => {
      if (this.#state.view !== undefined) await this.#workbench.ask({ do: 'delete', birth: this.name });
      const { images } = this.#state.images.length > 0 ? this.#state : await this.#workbench.ask({ do: 'images' });
      this.use.setState({ ...EMPTY, busy: this.#state.busy, images, image, config });
      await this.#plan(config);
    });
  }

  readonly select = (selected: number) => this.use.setState({ selected });

  readonly toggleBreakpoint = (index: number) => this.use.setState(({ breakpoints }) => ({ breakpoints: toggled(breakpoints, index) }));

  readonly clearLeftOut = () => this.use.setState({ leftOut: new Set(), withoutNamespaces: new Set(), leaks: undefined });

  /** A namespace is made by `clone`, so leaving one out means to begin again. */
  toggleNamespace(kind: NamespaceChoice): Promise<void> {
    return this.#busy('beginning again', async () => {
      const clone = this.#state.operations.find(({ op }) => op === 'clone');
      this.use.setState(({ withoutNamespaces }) => ({ withoutNamespaces: toggled(withoutNamespaces, kind) }));
      await this.#begin(clone);
    });
  }

  begin(): Promise<void> {
    return this.#busy('beginning', () => this.#begin());
  }

  go(how: 'step' | 'continue', until?: number): Promise<void> {
    return this.#busy('going on', () => this.#go(how, until));
  }

  skip(): Promise<void> {
    return this.#busy('leaving it out', async () => {
      const index = this.#state.view?.at;
      await this.#go('skip');
      if (index !== undefined) this.use.setState(({ leftOut }) => ({ leftOut: new Set([...leftOut, index]) }));
    });
  }

  /** Time does not run backwards: the birth is undone and done again up to the operation before. */
  back(): Promise<void> {
    return this.#busy('going back', async () => {
      const { view, operations } = this.#state;
      const performed = view?.outcomes.findLast(({ skipped }) => !skipped)?.index ?? 0;
      const at = (view?.status === 'stopped' ? view.at : operations.length) ?? 0;
      await this.#begin(operations[Math.min(performed, Math.max(0, at - 1))]);
    });
  }

  start(): Promise<void> {
    return this.#busy('starting', async () =>
      this.#take(await this.#workbench.ask({ do: 'go', birth: this.name, how: 'start', breakpoints: [] })),
    );
  }

  end(): Promise<void> {
    return this.#busy('undoing', async () => {
      await this.#workbench.ask({ do: 'delete', birth: this.name });
      this.use.setState({ view: undefined, before: undefined });
    });
  }

  async shell(): Promise<string> {
    return (await this.#workbench.ask({ do: 'shell', birth: this.name })).terminal;
  }

  measure(): Promise<void> {
    return this.#busy('measuring', async () => {
      const { image, config, leftOut, withoutNamespaces, operations } = this.#state;
      const names = operations
        .filter(({ index }) => leftOut.has(index))
        .map((operation) => `${operation.op} ${objectText(operation)}`.trim());
      const without = [...[...withoutNamespaces].map((kind) => `the ${kind} namespace`), ...names].join(', ');
      const request = { operations: [...leftOut], namespaces: [...withoutNamespaces] };
      const { probes, failure } = await this.#workbench.ask({ do: 'leaks', image, config, without: request });
      this.use.setState({ leaks: { probes, without, ...(failure === undefined ? {} : { failure: explainFailure(failure) }) } });
    });
  }

  /** The connection went, and the birth with it. */
  lost(): void {
    if (this.#state.view === undefined) return;
    const problem = 'the connection was lost, and the birth was undone';
    this.use.setState({ view: undefined, before: undefined, busy: undefined, problem });
  }

  get #state(): BirthState {
    return this.use.getState();
  }

  /** One thing at a time: controls rest meanwhile. A failure is shown where the birth is. */
  async #busy(what: string, work: () => Promise<void>): Promise<void> {
    if (this.#state.busy !== undefined) return;
    this.#underWay = this.#perform(what, work);
    await this.#underWay;
  }

  async #perform(what: string, work: () => Promise<void>): Promise<void> {
    this.use.setState({ busy: what, awaited: undefined, problem: undefined });
    try {
      await work();
    } catch (error) {
      this.use.setState({ problem: explainFailure(error as Error) });
    } finally {
      this.use.setState({ busy: undefined });
    }
  }

  async #fresh(image: string): Promise<void> {
    const { config } = await this.#workbench.ask({ do: 'spec', image });
    this.use.setState({ image, config, leaks: undefined });
    await this.#plan(config);
  }

  /** Only what can be known without doing it. */
  async #plan(config: string): Promise<void> {
    const { operations, issues } = await this.#workbench.ask({ do: 'plan', config });
    const state = this.#state;
    if (state.config !== config || state.view !== undefined) return;
    const renumber = numbering(state.operations, operations);
    this.use.setState({ operations, issues, breakpoints: renumber(state.breakpoints), leftOut: renumber(state.leftOut) });
  }

  async #go(how: 'step' | 'continue' | 'skip', until?: number): Promise<void> {
    const breakpoints = [...this.#state.breakpoints];
    this.#take(await this.#workbench.ask({ do: 'go', birth: this.name, how, breakpoints, ...(until === undefined ? {} : { until }) }));
  }

  /** Anew from the beginning; on to the first breakpoint, or to `until`, given as an operation, since numbers may change. */
  async #begin(until?: PlannedOperation): Promise<void> {
    const { image, config, leftOut, withoutNamespaces, operations } = this.#state;
    this.use.setState({ view: undefined, before: undefined, leaks: undefined });
    const namespaces = [...withoutNamespaces];
    const anew = async (left: ReadonlySet<number>) =>
      this.#take(
        await this.#workbench.ask({
          do: 'birth',
          birth: this.name,
          image,
          config,
          breakpoints: [],
          until: 0,
          without: { operations: [...left], namespaces },
        }),
      );
    await anew(leftOut);
    // Without a namespace operations have other numbers, which the birth has told by now: those to leave out are named again.
    if (!sameNumbers(leftOut, this.#state.leftOut)) await anew(this.#state.leftOut);
    const now = this.#state;
    if (now.view?.status !== 'stopped') return;
    const [target] = until === undefined ? [] : numbering(operations, now.operations)(new Set([until.index]));
    if (target !== 0 && (target !== undefined || !now.breakpoints.has(0))) await this.#go('continue', target);
  }

  #take(view: BirthView): void {
    const { view: last, operations, breakpoints, leftOut } = this.#state;
    const renumber = numbering(operations, view.operations);
    this.use.setState({
      view,
      before: last?.process,
      operations: view.operations.length > 0 ? view.operations : operations,
      breakpoints: renumber(breakpoints),
      leftOut: renumber(leftOut),
      selected: view.at ?? view.outcomes.at(-1)?.index,
      problem: view.failure === undefined ? undefined : explainFailure(view.failure),
    });
  }
}

function explainFailure({ message, hint }: { readonly message: string; readonly hint?: string | undefined }): string {
  return hint === undefined ? message : `${message}: ${hint}`;
}

function sameNumbers(some: ReadonlySet<number>, others: ReadonlySet<number>): boolean {
  return some.size === others.size && [...some].every((index) => others.has(index));
}

function toggled<T>(set: ReadonlySet<T>, value: T): ReadonlySet<T> {
  const next = new Set(set);
  if (!next.delete(value)) next.add(value);
  return next;
}

/** From the numbers of one plan to those of another, by what operations are; one that is not there any more is dropped. */
function numbering(
  from: readonly PlannedOperation[],
  to: readonly PlannedOperation[],
): (indexes: ReadonlySet<number>) => ReadonlySet<number> {
  if (from.length === 0 || to.length === 0) return (indexes) => indexes;
  const places = new Map(keys(to).map((key, index) => [key, index]));
  const old = keys(from);
  return (indexes) => new Set([...indexes].map((index) => places.get(old[index] ?? '')).filter((index) => index !== undefined));
}

/** Paths of the bundle differ between plan and birth, so a key is the operation, its field and which of those it is. */
function keys(operations: readonly PlannedOperation[]): string[] {
  const seen = new Map<string, number>();
  return operations.map(({ op, pointer, args }) => {
    const place = args.find(({ name }) => name === 'destination' || name === 'path')?.value ?? '';
    const key = `${op} ${pointer} ${place}`;
    const count = seen.get(key) ?? 0;
    seen.set(key, count + 1);
    return `${key} ${count}`;
  });
}
