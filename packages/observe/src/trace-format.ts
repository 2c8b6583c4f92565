/**
 * tracefs' own description of its events: which bytes of a record mean what.
 *
 * Knows: the text of `events/SYSTEM/EVENT/format` and `events/header_page`.
 * Does not know: pages and records (trace-page.ts), or what an event is good for (trace-records.ts).
 *
 * @see kernel Documentation/trace/events.rst, "Event formats"
 */

export interface TraceField {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly signed: boolean;
  /** How the value is stored: a number, a fixed array of characters, or a u32 that says where the characters are. */
  readonly kind: 'number' | 'characters' | 'located';
}

export interface TraceFormat {
  readonly name: string;
  readonly id: number;
  /** Without the `common_` fields, which are the same for all: type at 0, pid at 4. */
  readonly fields: readonly TraceField[];
}

const FIELD = /^\s*field:(.+?);\s*offset:(\d+);\s*size:(\d+);\s*signed:([01]);/;

/** Undefined for text that is no event description. */
export function parseTraceFormat(text: string): TraceFormat | undefined {
  const name = /^name: (.+)$/m.exec(text)?.[1];
  const id = /^ID: (\d+)$/m.exec(text)?.[1];
  if (name === undefined || id === undefined) return undefined;
  return { name, id: Number(id), fields: parseFields(text).filter((field) => !field.name.startsWith('common_')) };
}

/** True when pages have the layout that trace-page.ts reads: time at 0, 8 bytes of commit at 8, records from 16. */
export function isKnownPageLayout(headerPage: string): boolean {
  const at = new Map(parseFields(headerPage).map((field) => [field.name, field]));
  return (
    at.get('timestamp')?.offset === 0 && at.get('commit')?.offset === 8 && at.get('commit')?.size === 8 && at.get('data')?.offset === 16
  );
}

function parseFields(text: string): TraceField[] {
  return text.split('\n').flatMap((line) => {
    const [, declaration = '', offset, size, signed] = FIELD.exec(line) ?? [];
    // `char comm[16]`, `__data_loc char[] filename`, `unsigned long flags`
    const name = /([A-Za-z_]\w*)(?:\[[^\]]*\])?$/.exec(declaration)?.[1];
    if (name === undefined) return [];
    const kind = declaration.startsWith('__data_loc') ? 'located' : /\bchar\b[^*]*\[\d+\]$/.test(declaration) ? 'characters' : 'number';
    return [{ name, offset: Number(offset), size: Number(size), signed: signed === '1', kind }];
  });
}
