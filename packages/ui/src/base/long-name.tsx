/**
 * A name in as much room as there is: cut in its middle, since what tells names of one family apart is mostly their end.
 *
 * Knows: how much of the end is kept. Does not know: what is named. What is heard, searched and hovered over is the whole name.
 */
import { visible } from './format.ts';

/** Up to this many characters a name is left to its surroundings. */
const SHORT = 14;
const TAIL = 6;

export function LongName({ name }: { readonly name: string }) {
  const text = visible(name);
  if (text.length <= SHORT) return text;
  return (
    <span className="long-name" title={text}>
      <span className="sr-only">{text}</span>
      <span aria-hidden="true">{text.slice(0, -TAIL)}</span>
      <span aria-hidden="true">{text.slice(-TAIL)}</span>
    </span>
  );
}
