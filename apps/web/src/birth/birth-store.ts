/**
 * One birth on the page: its document, where to stop, what to leave out, and how far it has come.
 *
 * Knows: the workbench's requests, and that operations change their numbers when a namespace is left out.
 * Does not know: how a birth is drawn.
 */
import type { BirthView, LeakProbe, PlannedOperation, ProcessView, WorkbenchIssue } from '@slipway/contracts';
import { objectText } from '@slipway/ui/birth';
import { create } from 'zustand';
import { workbench } from '../state/lab.ts';

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
  readonly busy: string | undefined;
  readonly problem: string | undefined;
  readonly leaks: { readonly probes: readonly LeakProbe[]; readonly without: string; readonly failure?: string } | undefined;
}

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
  problem: undefined,
  leaks: undefined,
};

export type BirthStore = ReturnType<typeof createBirthStore>;

/** `name` tells this birth from the page's others. */
export function createBirthStore(name: string) {
  const use = create<BirthState>(() => EMPTY);
  workbench.onBirth((view) => {
    if (view.birth === name && use.getState().view !== undefined) take(view);
  });

  function take(view: BirthView): void {
    const { view: last, operations, breakpoints, leftOut } = use.getState();
    const renumber = numbering(operations, view.operations);
    use.setState({
      view,
      before: last?.process,
      operations: view.operations.length > 0 ? view.operations : operations,
      breakpoints: renumber(breakpoints),
      leftOut: renumber(leftOut),
      selected: view.at ?? view.outcomes.at(-1)?.index,
      problem: view.failure === undefined ? undefined : explainFailure(view.failure),
    });
  }

  /** One thing at a time; a failure is shown where the birth is. */
  async function busy(what: string, work: () => Promise<void>): Promise<void> {
    if (use.getState().busy !== undefined) return;
    use.setState({ busy: what, problem: undefined });
    try {
      await work();
    } catch (error) {
      use.setState({ problem: explainFailure(error as Error) });
    } finally {
      use.setState({ busy: undefined });
    }
  }

  /** Only what can be known without doing it. */
  async function plan(config: string): Promise<void> {
    const { operations, issues } = await workbench.ask({ do: 'plan', config });
    if (use.getState().config !== config || use.getState().view !== undefined) return;
    const renumber = numbering(use.getState().operations, operations);
    const { breakpoints, leftOut } = use.getState();
    use.setState({ operations, issues, breakpoints: renumber(breakpoints), leftOut: renumber(leftOut) });
  }

  async function setConfig(config: string): Promise<void> {
    use.setState({ config, leaks: undefined });
    await busy('planning', () => plan(config));
  }

  async function go(how: 'step' | 'continue' | 'skip', until?: number): Promise<void> {
    const breakpoints = [...use.getState().breakpoints];
    take(await workbench.ask({ do: 'go', birth: name, how, breakpoints, ...(until === undefined ? {} : { until }) }));
  }

  /** Anew from the beginning; on to the first breakpoint, or to `until`, given as an operation, since numbers may change. */
  async function begin(until?: PlannedOperation): Promise<void> {
    const { image, config, leftOut, withoutNamespaces, operations } = use.getState();
    use.setState({ view: undefined, before: undefined, leaks: undefined });
    // Numbers are this document's own only once it is planned without its namespaces: so the first stop is before everything.
    const without = { operations: withoutNamespaces.size > 0 ? [] : [...leftOut], namespaces: [...withoutNamespaces] };
    take(await workbench.ask({ do: 'birth', birth: name, image, config, breakpoints: [], until: 0, without }));
    if (use.getState().view?.status !== 'stopped') return;
    const target = until === undefined ? undefined : [...numbering(operations, use.getState().operations)(new Set([until.index]))][0];
    if (target !== 0 && !use.getState().breakpoints.has(0)) await go('continue', target);
  }

  return {
    name,
    use,
    /** Asks for images and a first document, once. */
    open: () =>
      busy('asking the machine', async () => {
        if (use.getState().config !== '') return;
        const { images } = await workbench.ask({ do: 'images' });
        const [image = ''] = images;
        use.setState({ images, image });
        if (image === '') return;
        const { config } = await workbench.ask({ do: 'spec', image });
        use.setState({ config });
        await plan(config);
      }),
    chooseImage: (image: string) =>
      busy('asking for a document', async () => {
        const { config } = await workbench.ask({ do: 'spec', image });
        use.setState({ image, config, leaks: undefined });
        await plan(config);
      }),
    setConfig,
    select: (selected: number) => use.setState({ selected }),
    toggleBreakpoint: (index: number) => use.setState(({ breakpoints }) => ({ breakpoints: toggled(breakpoints, index) })),
    /** A namespace is made by `clone`, so leaving one out means to begin again. */
    toggleNamespace: (kind: NamespaceChoice) =>
      busy('beginning again', async () => {
        const clone = use.getState().operations.find(({ op }) => op === 'clone');
        use.setState(({ withoutNamespaces }) => ({ withoutNamespaces: toggled(withoutNamespaces, kind) }));
        await begin(clone);
      }),
    begin: () => busy('beginning', () => begin()),
    step: () => busy('stepping', () => go('step')),
    proceed: () => busy('going on', () => go('continue')),
    runTo: (until: number) => busy('going on', () => go('continue', until)),
    skip: () =>
      busy('leaving it out', async () => {
        const { view } = use.getState();
        await go('skip');
        const index = view?.at;
        if (index !== undefined) use.setState(({ leftOut }) => ({ leftOut: new Set([...leftOut, index]) }));
      }),
    /** Time does not run backwards: the birth is undone and done again up to the operation before. */
    back: () =>
      busy('going back', async () => {
        const { view, operations } = use.getState();
        const last = view?.outcomes.findLast(({ skipped }) => !skipped)?.index ?? 0;
        const at = (view?.status === 'stopped' ? view.at : operations.length) ?? 0;
        await begin(operations[Math.min(last, Math.max(0, at - 1))]);
      }),
    start: () => busy('starting', async () => take(await workbench.ask({ do: 'go', birth: name, how: 'start', breakpoints: [] }))),
    end: () =>
      busy('undoing', async () => {
        await workbench.ask({ do: 'delete', birth: name });
        use.setState({ view: undefined, before: undefined });
      }),
    clearLeftOut: () => use.setState({ leftOut: new Set(), withoutNamespaces: new Set(), leaks: undefined }),
    shell: async () => (await workbench.ask({ do: 'shell', birth: name })).terminal,
    measure: () =>
      busy('measuring', async () => {
        const { image, config, leftOut, withoutNamespaces, operations } = use.getState();
        const names = operations
          .filter(({ index }) => leftOut.has(index))
          .map((operation) => `${operation.op} ${objectText(operation)}`.trim());
        const without = [...[...withoutNamespaces].map((kind) => `the ${kind} namespace`), ...names].join(', ');
        const request = { operations: [...leftOut], namespaces: [...withoutNamespaces] };
        const { probes, failure } = await workbench.ask({ do: 'leaks', image, config, without: request });
        use.setState({ leaks: { probes, without, ...(failure === undefined ? {} : { failure: explainFailure(failure) }) } });
      }),
    /** The connection went, and the birth with it. */
    lost: () => {
      if (use.getState().view === undefined) return;
      use.setState({ view: undefined, before: undefined, busy: undefined, problem: 'the connection was lost, and the birth was undone' });
    },
  };
}

function explainFailure({ message, hint }: { readonly message: string; readonly hint?: string | undefined }): string {
  return hint === undefined ? message : `${message}: ${hint}`;
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
