/**
 * Types of D-Bus values, as their one-letter signatures.
 *
 * Knows: where one complete type ends, and how its values are aligned.
 * Does not know: bytes.
 *
 * @see https://dbus.freedesktop.org/doc/dbus-specification.html#type-system
 */

const ALIGNMENT: Readonly<Record<string, number>> = { y: 1, g: 1, v: 1, b: 4, u: 4, s: 4, o: 4, a: 4, t: 8, '(': 8 };

/** Values of a type begin at a multiple of this many bytes. @throws for types that nobody here sends or expects */
export function alignmentOf(type: string): number {
  const alignment = ALIGNMENT[type.charAt(0)];
  if (alignment === undefined) throw new Error(`type ${JSON.stringify(type)} is not among those that are used here`);
  return alignment;
}

/** `sa(sv)u` → `s`, `a(sv)`, `u`. @throws where it is cut off */
export function splitSignature(signature: string): string[] {
  const types: string[] = [];
  for (let at = 0; at < signature.length; at = endOfType(signature, at)) types.push(signature.slice(at, endOfType(signature, at)));
  return types;
}

function endOfType(signature: string, start: number): number {
  if (signature.charAt(start) === 'a') return endOfType(signature, start + 1);
  if (signature.charAt(start) !== '(') {
    if (start >= signature.length) throw new Error(`signature ${JSON.stringify(signature)} is cut off`);
    return start + 1;
  }
  let at = start + 1;
  while (signature.charAt(at) !== ')') at = endOfType(signature, at);
  return at + 1;
}
