/**
 * The part of Go templates that people use with `--format` and `-f`.
 *
 * Knows: `{{.Field.Sub}}`, `{{json .X}}`, `{{range .X}}…{{end}}`, `{{index .X "key"}}`, `{{println .X}}`, `{{len .X}}`.
 * Does not know: conditionals, variables and pipes; they are refused by name instead of printing nonsense.
 */
import { UsageError } from '../flags.ts';

type Piece = { readonly text: string } | { readonly action: string };

/** @throws UsageError naming the action that is not understood */
export function renderTemplate(template: string, value: unknown): string {
  const { output, rest } = renderPieces(split(template), value);
  if (rest.length > 0) throw new UsageError('template parsing error: unexpected {{end}}');
  return output;
}

function split(template: string): Piece[] {
  return template
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n')
    .split(/(\{\{[\s\S]*?\}\})/)
    .filter((part) => part !== '')
    .map((part) => (part.startsWith('{{') ? { action: part.slice(2, -2).replace(/^-|-$/g, '').trim() } : { text: part }));
}

function renderPieces(pieces: readonly Piece[], value: unknown): { output: string; rest: readonly Piece[] } {
  let output = '';
  let rest = pieces;
  for (let [piece, ...more] = rest; piece !== undefined; [piece, ...more] = rest) {
    rest = more;
    if ('text' in piece) output += piece.text;
    else if (piece.action === 'end') return { output, rest: [piece, ...more] };
    else if (piece.action.startsWith('range ')) {
      const items = lookUp(value, piece.action.slice(6).trim());
      let after: readonly Piece[] = skipBlock(more);
      for (const item of itemsOf(items)) {
        const block = renderPieces(more, item);
        output += block.output;
        after = block.rest;
      }
      rest = after.slice(1); // the {{end}}
    } else output += evaluate(piece.action, value);
  }
  return { output, rest: [] };
}

function skipBlock(pieces: readonly Piece[]): readonly Piece[] {
  let depth = 0;
  const at = pieces.findIndex((piece) => {
    if (!('action' in piece)) return false;
    if (piece.action.startsWith('range ')) depth++;
    return piece.action === 'end' && depth-- === 0;
  });
  if (at < 0) throw new UsageError('template parsing error: {{range}} without {{end}}');
  return pieces.slice(at);
}

function itemsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return typeof value === 'object' && value !== null ? Object.values(value) : [];
}

function evaluate(action: string, value: unknown): string {
  const [, name = '', rest = ''] = /^(json|println|len|index)\s+(.+)$/.exec(action) ?? [];
  if (name === 'json') return JSON.stringify(lookUp(value, rest));
  if (name === 'println') return `${show(lookUp(value, rest))}\n`;
  if (name === 'len') return String(itemsOf(lookUp(value, rest)).length);
  if (name === 'index') return show(indexed(rest, value));
  return show(lookUp(value, action));
}

function indexed(text: string, value: unknown): unknown {
  const [, path = '', key = ''] = /^(\S+)\s+"?([^"]*)"?$/.exec(text) ?? [];
  return member(lookUp(value, path), key);
}

function lookUp(value: unknown, path: string): unknown {
  if (path === '.') return value;
  if (!/^(\.[A-Za-z_][\w]*)+$/.test(path))
    throw new UsageError(`template parsing error: ${JSON.stringify(path)} is more than this client understands`);
  return path
    .slice(1)
    .split('.')
    .reduce((current, key) => {
      const found = member(current, key);
      if (found === undefined) throw new UsageError(`template parsing error: there is no field ${JSON.stringify(key)}`);
      return found;
    }, value);
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}

function show(value: unknown): string {
  if (value === null || value === undefined) return '<no value>';
  if (Array.isArray(value)) return `[${value.map(show).join(' ')}]`;
  if (typeof value === 'object')
    return `map[${Object.entries(value)
      .map(([key, item]) => `${key}:${show(item)}`)
      .join(' ')}]`;
  return String(value);
}
