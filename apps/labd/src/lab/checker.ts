/**
 * Continuous checks of one learner: looks after every batch of events and says what changed.
 *
 * Knows: which lessons are open, where the learner's work on each began, when to look.
 * Does not know: what a check looks for (labs/), how progress is shown.
 */
import type { ContainerFact, JournalEvent, LayersFact, ProcessFact } from '@slipway/journal';
import { type CheckView, evaluateLab, type Lab, type TaskState } from '@slipway/lessons';

export interface OpenLesson {
  readonly lab: Lab;
  /** Work on it began after this event of the journal. */
  readonly afterSeq: number;
  readonly before: readonly TaskState[];
}

export interface CheckerOptions {
  /** Called with the tasks whose state or answer changed, never empty. */
  readonly onChange: (lesson: string, changed: readonly TaskState[]) => void;
}

const DEBOUNCE_MS = 50;
/** Looking may take at most this share of the time. */
const MAX_SHARE = 0.1;
/** The longest pause all the same: a host that stood still during a look says nothing about what the next one takes. */
const MAX_DELAY_MS = 2000;
/** Events kept for checks; the oldest go first. */
const MAX_EVENTS = 100_000;
const MAX_CONTAINERS = 5000;

export class Checker {
  readonly #options: CheckerOptions;
  readonly #lessons = new Map<string, { readonly lab: Lab; readonly afterSeq: number; states: Map<string, TaskState> }>();
  #events: JournalEvent[] = [];
  readonly #containers = new Map<string, ContainerFact>();
  readonly #layers = new Map<string, LayersFact>();
  #processes: readonly ProcessFact[] = [];
  #timer: NodeJS.Timeout | undefined;
  #delayMs = DEBOUNCE_MS;

  constructor(options: CheckerOptions) {
    this.#options = options;
  }

  /** Takes in what the journal got; looks a little later. */
  take(events: readonly JournalEvent[]): void {
    for (const event of events) this.#takeOne(event);
    if (this.#events.length > MAX_EVENTS * 1.2) this.#events = this.#events.slice(-MAX_EVENTS);
    // Our own findings change nothing that a check looks at.
    if (events.some((event) => event.type !== 'check')) this.#lookSoon();
  }

  open(lesson: string, { lab, afterSeq, before }: OpenLesson): void {
    this.#lessons.set(lesson, { lab, afterSeq, states: new Map(before.map((state) => [state.task, state])) });
    this.#lookSoon();
  }

  close(lesson: string): void {
    this.#lessons.delete(lesson);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#lessons.clear();
  }

  #takeOne(event: JournalEvent): void {
    this.#events.push(event);
    if (event.type === 'processes') this.#processes = event.processes;
    if (event.type === 'layers') remember(this.#layers, event.layers.container, event.layers);
    if (event.type !== 'container') return;
    remember(this.#containers, event.container.id, event.container);
    if (event.container.status === 'removed') this.#layers.delete(event.container.id);
  }

  #lookSoon(): void {
    if (this.#lessons.size === 0) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const started = performance.now();
      for (const lesson of this.#lessons.keys()) this.#look(lesson);
      this.#delayMs = Math.min(MAX_DELAY_MS, Math.max(DEBOUNCE_MS, (performance.now() - started) / MAX_SHARE));
    }, this.#delayMs);
  }

  #look(lesson: string): void {
    const open = this.#lessons.get(lesson);
    if (open === undefined) return;
    const states = evaluateLab(open.lab, this.#view(open.afterSeq), open.states);
    const changed = states.filter((state) => {
      const before = open.states.get(state.task);
      return before?.status !== state.status || before.saw !== state.saw;
    });
    open.states = new Map(states.map((state) => [state.task, state]));
    if (changed.length > 0) this.#options.onChange(lesson, changed);
  }

  #view(afterSeq: number): CheckView {
    const everSeen = [...this.#containers.values()];
    const first = this.#events.findIndex((event) => event.seq > afterSeq);
    const from = first < 0 ? this.#events.length : first;
    return {
      containers: everSeen.filter((container) => container.status !== 'removed'),
      everSeen,
      processes: this.#processes,
      layers: [...this.#layers.values()],
      events: this.#events.slice(from),
      earlier: this.#events.slice(0, from),
      machineNamespaces: this.#processes.find(({ pid }) => pid === 1)?.namespaces ?? {},
    };
  }
}

/** The newest fact last; the oldest subject goes when there are too many. */
function remember<T>(facts: Map<string, T>, subject: string, fact: T): void {
  facts.delete(subject);
  facts.set(subject, fact);
  const [oldest] = facts.keys();
  if (facts.size > MAX_CONTAINERS && oldest !== undefined) facts.delete(oldest);
}
