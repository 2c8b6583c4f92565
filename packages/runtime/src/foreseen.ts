/**
 * Births that are planned before they are asked for: between a container's creation and its start nobody waits, and planning is
 * a good part of a start.
 *
 * Knows: that a plan holds for the same document and the same facts alone.
 * Does not know: who foresees, or whether it comes true.
 */
import type { Launcher } from '@slipway/launcher';
import type { RuntimeSpec } from '@slipway/oci';
import type { RuntimePlan } from './plan/draft.ts';
import type { BundleFacts, HostFacts } from './plan/host.ts';
import { plan } from './plan/plan.ts';

/** Plans kept at most, of some 50 KiB each: of containers that are created and never started there can be any number. */
const LIMIT = 32;

interface Foreseen {
  readonly host: HostFacts;
  readonly bundle: string;
  readonly birth: RuntimePlan;
}

export class ForeseenBirths {
  readonly #launcher: Launcher;
  /** By the very document, oldest first. */
  readonly #births = new Map<RuntimeSpec, Foreseen>();

  constructor(launcher: Launcher) {
    this.#launcher = launcher;
  }

  /** Plans for a launch to come. Quiet about what cannot be planned: whoever asks for it is told. */
  foresee(spec: RuntimeSpec, host: HostFacts, bundle: BundleFacts): void {
    try {
      const birth = plan(spec, { ...host, ...bundle });
      this.#launcher.foresee(birth);
      this.#births.delete(spec);
      this.#births.set(spec, { host, bundle: JSON.stringify(bundle), birth });
    } catch {
      return;
    }
    const [oldest] = this.#births.keys();
    if (this.#births.size > LIMIT && oldest !== undefined) this.#births.delete(oldest);
  }

  /** As {@link plan}, by what was foreseen where that holds; a document's foresight is used up by it. */
  plan(spec: RuntimeSpec, host: HostFacts, bundle: BundleFacts): RuntimePlan {
    const known = this.#births.get(spec);
    this.#births.delete(spec);
    if (known?.host === host && known.bundle === JSON.stringify(bundle)) return known.birth;
    return plan(spec, { ...host, ...bundle });
  }
}
