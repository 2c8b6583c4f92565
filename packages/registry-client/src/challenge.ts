/**
 * `WWW-Authenticate`: what a registry says it wants to see.
 *
 * Knows: the grammar, as far as registries use it.
 * Does not know: whether to obey.
 *
 * @spec RFC 9110, section 11.6.1; distribution's token authentication
 */

export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const MAX_HEADER = 4096;
const TOKEN = String.raw`[!#$%&'*+.^_\x60|~0-9A-Za-z-]+`;
const PARAMETER = new RegExp(String.raw`\s*,?\s*(${TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|(${TOKEN}))`, 'y');
const SCHEME = new RegExp(String.raw`\s*,?\s*(${TOKEN})(?=\s|,|$)(?!\s*=)`, 'y');

/** Every challenge of a header, in order; what cannot be read ends the list. */
export function parseChallenges(header: string): readonly Challenge[] {
  const text = header.slice(0, MAX_HEADER);
  const challenges: Challenge[] = [];
  let at = 0;
  for (;;) {
    SCHEME.lastIndex = at;
    const scheme = SCHEME.exec(text)?.[1];
    if (scheme === undefined) return challenges;
    at = SCHEME.lastIndex;
    const parameters = new Map<string, string>();
    for (PARAMETER.lastIndex = at; ; at = PARAMETER.lastIndex) {
      const [, name, quoted, bare] = PARAMETER.exec(text) ?? [];
      if (name === undefined) break;
      parameters.set(name.toLowerCase(), quoted?.replaceAll(/\\(.)/g, '$1') ?? bare ?? '');
    }
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
  }
}
