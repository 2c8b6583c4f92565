/**
 * Command-line flags in the manner of docker and runc.
 *
 * Knows: `--name web`, `--name=web`, `-it`, `-eA=1`, `--`, and that `run` and `exec` stop at the first word that is no flag.
 * Does not know: which flags a command has; each brings its table.
 */

/** What a flag takes: nothing (`switch`), one value, or a value each time it is given (`list`). */
export interface FlagSpec {
  readonly kind: 'switch' | 'value' | 'list';
  /** One letter. */
  readonly short?: string;
}

export type FlagTable = Readonly<Record<string, FlagSpec>>;

export interface ParsedFlags {
  has(name: string): boolean;
  /** The last value given. */
  value(name: string): string | undefined;
  list(name: string): readonly string[];
  /** Words that are no flags. */
  readonly words: readonly string[];
}

/** A mistake on the command line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * `--help` stood among a command's flags. Which flags there are is known only where they are read, so it is told from there; a caller
 * that has no help to give treats it as any other flag that it does not know.
 */
export class HelpAsked extends UsageError {
  readonly table: FlagTable;

  constructor(table: FlagTable) {
    super('unknown flag: --help');
    this.table = table;
  }
}

/** A line for each flag, by name: `  -m, --memory VALUE`. */
export function describeFlags(table: FlagTable): string {
  const lines = Object.entries(table)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { kind, short }]) => {
      const takes = { switch: '', value: ' VALUE', list: ' VALUE…' }[kind];
      return `  ${short === undefined ? '   ' : `-${short},`} --${name}${takes}\n`;
    });
  return lines.join('');
}

/**
 * @param interspersed whether flags may follow words (true everywhere but in run, create and exec)
 * @throws UsageError for a flag that is not in the table; HelpAsked for `--help`, unless the table has a flag of that name
 */
export function parseFlags(args: readonly string[], table: FlagTable, interspersed = true): ParsedFlags {
  const values = new Map<string, string[]>();
  const words: string[] = [];
  const queue = [...args];
  for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
    if (arg === '--') {
      words.push(...queue.splice(0));
    } else if (arg.startsWith('--')) {
      takeLong(arg.slice(2), table, queue, values);
    } else if (arg.startsWith('-') && arg !== '-') {
      takeShort(arg.slice(1), table, queue, values);
    } else {
      words.push(arg);
      if (!interspersed) words.push(...queue.splice(0));
    }
  }
  return {
    has: (name) => isTrue(values.get(name)?.at(-1)),
    value: (name) => values.get(name)?.at(-1),
    list: (name) => values.get(name) ?? [],
    words,
  };
}

function takeLong(text: string, table: FlagTable, queue: string[], values: Map<string, string[]>): void {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  const spec = Object.hasOwn(table, name) ? table[name] : undefined;
  if (spec === undefined && text === 'help') throw new HelpAsked(table);
  if (spec === undefined) throw new UsageError(`unknown flag: --${name}`);
  if (equals >= 0) add(values, name, text.slice(equals + 1));
  else add(values, name, spec.kind === 'switch' ? 'true' : needed(queue.shift(), `--${name}`));
}

function takeShort(letters: string, table: FlagTable, queue: string[], values: Map<string, string[]>): void {
  for (let at = 0; at < letters.length; at++) {
    const letter = letters[at] ?? '';
    const [name, spec] = Object.entries(table).find(([, candidate]) => candidate.short === letter) ?? [];
    if (name === undefined || spec === undefined) throw new UsageError(`unknown shorthand flag: '${letter}' in -${letters}`);
    if (spec.kind === 'switch') {
      add(values, name, 'true');
      continue;
    }
    const rest = letters.slice(at + 1).replace(/^=/, '');
    add(values, name, rest === '' ? needed(queue.shift(), `-${letter}`) : rest);
    return;
  }
}

function needed(value: string | undefined, flag: string): string {
  if (value === undefined) throw new UsageError(`flag needs an argument: ${flag}`);
  return value;
}

function add(values: Map<string, string[]>, name: string, value: string): void {
  values.set(name, [...(values.get(name) ?? []), value]);
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && value !== 'false' && value !== '0';
}
