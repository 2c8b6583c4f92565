/**
 * What a lab file is written with: the definition and the small words its checks are made of.
 *
 * Knows: how to look things up in a {@link CheckView} and how to say what was seen.
 * Does not know: which lab asks.
 */
import type { ContainerFact, Span } from '@slipway/journal/types';
import type { CheckResult, CheckView, Lab } from './types.ts';

/** Types a lab; the page and the checker read it, nothing else. */
export function defineLab(lab: Lab): Lab {
  return lab;
}

export const passed: CheckResult = { passed: true };

/** @param saw and expected are clauses that read well after "I see" and "I am looking for" */
export function failed(saw: string, expected: string): CheckResult {
  return { passed: false, saw, expected };
}

/** The container of this name now, else the newest of that name ever seen. */
export function containerNamed(view: CheckView, name: string): ContainerFact | undefined {
  return view.containers.find((container) => container.name === name) ?? view.everSeen.findLast((container) => container.name === name);
}

/** `busybox`, `docker.io/library/busybox:latest` and `busybox:1.36` are all busybox. */
export function isImage(container: ContainerFact, familiar: string): boolean {
  const withoutTag = container.image.replace(/@sha256:.*$/, '').replace(/:[\w.-]+$/, '');
  return withoutTag.split('/').at(-1) === familiar;
}

/** The whole spans of requests to the engine's own API whose name matches, oldest first. */
export function requests(view: CheckView, name: RegExp): readonly Span[] {
  return view.events.flatMap((event) =>
    event.type === 'span' && event.span.actor === 'api' && name.test(event.span.name) ? [event.span] : [],
  );
}

/** When the container was last seen to begin running, in journal milliseconds. */
export function runningSince(view: CheckView, id: string): number | undefined {
  return view.events.findLast((event) => event.type === 'container' && event.container.id === id && event.container.status === 'running')
    ?.atMs;
}

/** A container in a few words, for a check's answer. */
export function inWords(container: ContainerFact): string {
  const exit = container.exitCode === undefined ? '' : ` with exit code ${container.exitCode}`;
  return `${container.name || container.id.slice(0, 12)}, which is ${container.status}${container.status === 'exited' ? exit : ''}`;
}
