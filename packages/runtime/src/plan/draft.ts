/**
 * A plan while it is being written: operations sorted by phase, slots handed out, warnings collected.
 *
 * Knows: the order of the phases.
 * Does not know: what any operation is for.
 */
import { EngineError } from '@slipway/errors';
import type { Operation, OperationBody, Phase, Plan } from '@slipway/launcher';

/** A plan, and what a withheld right made us leave out of it. */
export interface RuntimePlan extends Plan {
  /** Sentences for people; empty when the document was followed to the letter. */
  readonly warnings: readonly string[];
}

/** Operations of one part of plans, by all that it depends on. */
export type SharedParts<K extends object> = WeakMap<K, readonly Operation[]>;

/** Who asked for an operation, and why. */
export interface Origin {
  readonly pointer: string;
  readonly reason: string;
}

const PHASES: readonly Phase[] = ['prepare', 'clone', 'identity', 'mounts', 'devices', 'settings', 'hooks', 'root', 'rights', 'start'];

/**
 * Collects operations. Inside a phase they keep the order in which they were added, so a mount can
 * add the opening of its source (`prepare`) at the same place where it adds itself.
 */
export class Draft {
  readonly #byPhase = new Map<Phase, Operation[]>(PHASES.map((phase) => [phase, []]));
  readonly #warnings: string[] = [];
  #slots = 0;
  /** What {@link shared} is about to keep. */
  #kept: Operation[] | undefined;

  add(phase: Phase, origin: Origin, body: OperationBody): void {
    const operation: Operation = { ...body, ...origin, phase };
    this.#byPhase.get(phase)?.push(operation);
    this.#kept?.push(operation);
  }

  /**
   * Has `write` add what plans have in common, once for each `key`: from then on the very same operations are added again. They are
   * frozen, so that others can tell what they may meet again. For what takes no slots and warns of nothing.
   */
  shared<K extends object>(parts: SharedParts<K>, key: K, write: () => void): void {
    const known = parts.get(key);
    if (known === undefined) {
      this.#kept = [];
      write();
      parts.set(
        key,
        this.#kept.map((operation) => Object.freeze(operation)),
      );
      this.#kept = undefined;
    } else {
      for (const operation of known) this.#byPhase.get(operation.phase)?.push(operation);
    }
  }

  /** Opens a bind source outside; the number names it in `bind` and `bindDevice`. */
  openSource(origin: Origin, hostPath: string, recursive: boolean): number {
    const slot = this.#slots++;
    this.add('prepare', origin, { op: 'openSource', slot, hostPath, recursive });
    return slot;
  }

  /** Opens a namespace file outside; the number names it in `joinNamespace`. */
  openNamespace(origin: Origin, kind: Extract<OperationBody, { op: 'openNamespace' }>['kind'], hostPath: string): number {
    const slot = this.#slots++;
    this.add('prepare', origin, { op: 'openNamespace', slot, kind, hostPath });
    return slot;
  }

  /** Connects to an agent outside; the number names the socket in `seccompNotify`. */
  openListener(origin: Origin, hostPath: string): number {
    const slot = this.#slots++;
    this.add('prepare', origin, { op: 'openListener', slot, hostPath });
    return slot;
  }

  warn(sentence: string): void {
    this.#warnings.push(sentence);
  }

  finish(): RuntimePlan {
    return { operations: PHASES.flatMap((phase) => this.#byPhase.get(phase) ?? []), warnings: this.#warnings };
  }
}

/** The document asks for something this engine cannot do; nothing has been attempted. */
export function unsupported(pointer: string, what: string, hint?: string): EngineError {
  return new EngineError('unsupported', what, {
    code: 'E_SPEC_UNSUPPORTED',
    op: 'plan.create',
    subject: pointer,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** A value that the schema allows and that can still never work here. */
export function invalid(pointer: string, message: string): EngineError {
  return new EngineError('invalid-argument', message, {
    code: 'E_SPEC_INVALID',
    op: 'plan.create',
    subject: pointer,
    issues: [{ path: pointer, message }],
  });
}

/** The user asked for what needs a right we were not given. */
export function missingRight(pointer: string, message: string, right: string): EngineError {
  return new EngineError('permission-denied', `${message}: needs ${right}, which this host withholds`, {
    code: 'E_RIGHT_WITHHELD',
    op: 'plan.create',
    subject: pointer,
    hint: `ask for less, or give the engine ${right}`,
  });
}
