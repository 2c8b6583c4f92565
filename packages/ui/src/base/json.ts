/**
 * JSON for reading: indented, cut into coloured tokens.
 *
 * Knows: JSON's tokens; text that is not JSON is one plain token. Pure.
 * Does not know: colours.
 */
import { visible } from './format.ts';

export interface JsonToken {
  readonly kind: 'key' | 'string' | 'number' | 'word' | 'punctuation' | 'plain';
  readonly text: string;
}

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b|([{}[\],:]|\s+)/g;

export function highlightJson(text: string): readonly JsonToken[] {
  const pretty = indent(text);
  if (pretty === undefined) return [{ kind: 'plain', text: visibleLines(text) }];
  const tokens: JsonToken[] = [];
  for (const match of pretty.matchAll(TOKEN)) {
    const [whole, string, colon, number, word] = match;
    if (string !== undefined && colon !== undefined) tokens.push({ kind: 'key', text: string }, { kind: 'punctuation', text: colon });
    else if (string !== undefined) tokens.push({ kind: 'string', text: visible(string) });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word });
    else tokens.push({ kind: 'punctuation', text: whole });
  }
  return tokens;
}

function indent(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return undefined;
  }
}

function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}
