/**
 * What is selected; one selection for all explorers.
 *
 * Knows: the kinds of things that can be selected and how they are written in an address. Pure.
 * Does not know: whether the thing still exists; every explorer looks for itself.
 */
import type { NamespaceName } from '@slipway/journal/types';
import { NAMESPACE_KINDS } from './kinds.ts';

export type Selection =
  | { readonly kind: 'container'; readonly id: string }
  /** A pid alone may be used again; with the start time it is one process. */
  | { readonly kind: 'process'; readonly pid: number; readonly startTime: string }
  | { readonly kind: 'namespace'; readonly name: NamespaceName; readonly inode: number }
  | { readonly kind: 'span'; readonly id: string }
  /** A file in a container's writable layer. */
  | { readonly kind: 'file'; readonly container: string; readonly path: string };

export function selectionText(selection: Selection): string {
  switch (selection.kind) {
    case 'container':
    case 'span':
      return `${selection.kind}:${selection.id}`;
    case 'process':
      return `process:${selection.pid}:${selection.startTime}`;
    case 'namespace':
      return `namespace:${selection.name}:${selection.inode}`;
    case 'file':
      return `file:${selection.container}:${selection.path}`;
  }
}

/** @returns undefined for anything that is not a selection */
export function parseSelection(text: string): Selection | undefined {
  const [kind, first = '', ...others] = text.split(':');
  const rest = others.join(':');
  const whole = text.slice((kind?.length ?? 0) + 1);
  if (first === '') return undefined;
  if (kind === 'container') return { kind, id: whole };
  if (kind === 'span') return { kind, id: whole };
  if (kind === 'file') return rest === '' ? undefined : { kind, container: first, path: rest };
  if (kind === 'process') return /^\d+$/.test(first) ? { kind, pid: Number(first), startTime: rest } : undefined;
  const name = NAMESPACE_KINDS.find((candidate) => candidate.name === first)?.name;
  return kind === 'namespace' && name && /^\d+$/.test(rest) ? { kind, name, inode: Number(rest) } : undefined;
}

export function sameSelection(a: Selection | undefined, b: Selection | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && selectionText(a) === selectionText(b));
}
