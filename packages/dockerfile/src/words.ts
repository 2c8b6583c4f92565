/**
 * Words of an instruction: quotes, escapes and variables, as a shell has them but without its expansions.
 *
 * Knows: splitting, `$NAME`, `${NAME}`, `${NAME:-word}`, `:+`, `:?` and the same without the colon; `#`, `%`, `/` with patterns.
 * Does not know: where values come from.
 */
import { dockerfileError } from './failure.ts';
import { MAX_PATTERN_VALUE, replaceMatches, type TrimModifier, trimMatch } from './shell-patterns.ts';

export interface Expansion {
  /** undefined: not set. */
  readonly lookUp: (name: string) => string | undefined;
  readonly escapeWith: string;
  readonly line: number;
}

const NAME = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9])/;

/** Splits at white space outside of quotes; quotes and escapes stay. */
export function splitWords(text: string, escapeWith = '\\'): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    if (quote === '' && /\s/.test(char)) {
      if (word !== '') words.push(word);
      word = '';
      continue;
    }
    word += char;
    if (char === escapeWith && quote !== "'" && at + 1 < text.length) word += text[++at] ?? '';
    else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
  }
  return word === '' ? words : [...words, word];
}

/** One word without its quotes, its variables replaced. @throws EngineError `invalid-argument` / `E_DOCKERFILE` */
export function expandWord(text: string, expansion: Expansion): string {
  return new Expander(text, expansion).all();
}

/** Variables only: quotes and escapes other than of `$` stay, as a here-document wants it. */
export function expandText(text: string, expansion: Expansion): string {
  return new Expander(text, expansion, true).all();
}

class Expander {
  readonly #text: string;
  readonly #expansion: Expansion;
  readonly #keepQuotes: boolean;
  #at = 0;

  constructor(text: string, expansion: Expansion, keepQuotes = false) {
    this.#text = text;
    this.#expansion = expansion;
    this.#keepQuotes = keepQuotes;
  }

  all(): string {
    return this.#until('');
  }

  /** Reads on to `end` outside of quotes, or to the end. */
  #until(end: string): string {
    let result = '';
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at] ?? '';
      if (char === end) return result;
      this.#at++;
      if (char === '$') result += this.#variable();
      else if (char === this.#expansion.escapeWith) result += this.#escaped();
      else if (this.#keepQuotes) result += char;
      else if (char === "'") result += this.#single();
      else if (char === '"') result += this.#double();
      else result += char;
    }
    if (end !== '') throw this.#fail(`"${this.#text.slice(0, 80)}" lacks a ${end}`);
    return result;
  }

  #escaped(): string {
    const next = this.#text[this.#at];
    if (next === undefined) return this.#expansion.escapeWith;
    if (this.#keepQuotes && next !== '$') return this.#expansion.escapeWith;
    this.#at++;
    return next;
  }

  #single(): string {
    const end = this.#text.indexOf("'", this.#at);
    if (end < 0) throw this.#fail('unexpected end of statement while looking for matching single-quote');
    const inner = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    return inner;
  }

  #double(): string {
    let result = '';
    for (;;) {
      const char = this.#text[this.#at++];
      if (char === undefined) throw this.#fail('unexpected end of statement while looking for matching double-quote');
      if (char === '"') return result;
      if (char === '$') result += this.#variable();
      else if (char === this.#expansion.escapeWith) {
        const next = this.#text[this.#at] ?? '';
        if (next === '"' || next === '$' || next === this.#expansion.escapeWith) this.#at++;
        result += next === '"' || next === '$' || next === this.#expansion.escapeWith ? next : char;
      } else result += char;
    }
  }

  #variable(): string {
    if (this.#text[this.#at] !== '{') {
      const [name] = NAME.exec(this.#text.slice(this.#at)) ?? [];
      if (name === undefined) return '$';
      this.#at += name.length;
      return this.#expansion.lookUp(name) ?? '';
    }
    this.#at++;
    const [name] = NAME.exec(this.#text.slice(this.#at)) ?? [];
    if (name === undefined) throw this.#fail(`bad substitution in "${this.#text.slice(0, 80)}"`);
    this.#at += name.length;
    const [modifier = ''] = /^(?::?[-+?]|##?|%%?|\/\/?)/.exec(this.#text.slice(this.#at)) ?? [];
    this.#at += modifier.length;
    if (modifier === '' && this.#text[this.#at] !== '}') throw this.#fail(`unsupported modifier in substitution of ${name}`);
    const result = /[#%/]/.test(modifier) ? this.#matched(name, modifier) : this.#modified(name, modifier, this.#until('}'));
    this.#at++;
    return result;
  }

  #matched(name: string, modifier: string): string {
    const value = this.#expansion.lookUp(name) ?? '';
    if (value.length > MAX_PATTERN_VALUE) throw this.#fail(`${name} is too long for a pattern: more than ${MAX_PATTERN_VALUE} characters`);
    if (!modifier.startsWith('/')) return trimMatch(value, modifier as TrimModifier, this.#pattern('}'));
    const pattern = this.#pattern('/');
    if (this.#text[this.#at] === '/') this.#at++;
    return replaceMatches(value, pattern, { by: this.#until('}'), isAll: modifier === '//' });
  }

  /** As far as `end` or the end of the substitution; escapes stay, since they are the pattern's. */
  #pattern(end: '}' | '/'): string {
    const start = this.#at;
    let pattern = '';
    for (let char = this.#text[this.#at]; char !== undefined && char !== end && char !== '}'; char = this.#text[this.#at]) {
      this.#at++;
      if (char === '$') pattern += this.#variable();
      else if (char === this.#expansion.escapeWith) pattern += `\\${this.#text[this.#at++] ?? ''}`;
      else pattern += char;
    }
    if (this.#text[this.#at] === undefined) throw this.#fail(`"${this.#text.slice(start, start + 80)}" lacks a }`);
    return pattern;
  }

  #modified(name: string, modifier: string, word: string): string {
    const value = this.#expansion.lookUp(name);
    const isSet = value !== undefined && (!modifier.startsWith(':') || value !== '');
    if (modifier.endsWith('-')) return isSet ? (value ?? '') : word;
    if (modifier.endsWith('+')) return isSet ? word : '';
    if (modifier.endsWith('?') && !isSet) throw this.#fail(`${name}: ${word === '' ? 'not allowed to be unset' : word}`);
    return value ?? '';
  }

  #fail(message: string) {
    return dockerfileError(this.#expansion.line, message);
  }
}
