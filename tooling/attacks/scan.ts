/**
 * Finds which attack of the catalogue a test makes, and in which part.
 *
 * Knows: the line above a title: `// @attack A05, A10: attack, control`.
 * Does not know: which attacks there are (catalogue.ts), nor whether a test does what it says; a control that fails shows that.
 */
import { type Source, type Tag, titleAfter } from '../runtime-spec/scan.ts';

/** `attack`: it is made, and fails. `control`: made where nothing protects, it succeeds. `twin`: the legal neighbour still works. */
export const PARTS = ['attack', 'control', 'twin'] as const;
export type Part = (typeof PARTS)[number];

export interface Evidence extends Tag {
  readonly part: string;
}

const LINE = /^[ \t]*\/\/ @attack ([\w, ]+): ([\w, ]+)$/gm;

export function findEvidence({ path, text }: Source): Evidence[] {
  return [...text.matchAll(LINE)].flatMap((match) => {
    const [, ids = '', parts = ''] = match;
    const name = titleAfter(text, match.index + match[0].length);
    return ids.split(', ').flatMap((id) => parts.split(', ').map((part) => ({ id, part, path, name })));
  });
}
