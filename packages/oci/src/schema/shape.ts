/**
 * The few shapes that the schema of config.json is built from.
 *
 * Knows: JSON Schema's words (draft 2020-12), and that an optional field may also be null, as Go writers leave it.
 * Does not know: any field.
 */
import { ID_MAX, LIMITS } from '../issue-list.ts';

/** A JSON Schema node, as far as this schema uses the language. */
export interface SchemaNode {
  readonly description?: string;
  readonly type?: SchemaType | readonly SchemaType[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  /** What editors of the VS Code family say where the pattern does not match. */
  readonly patternErrorMessage?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode;
  readonly propertyNames?: SchemaNode;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly anyOf?: readonly SchemaNode[];
  readonly allOf?: readonly SchemaNode[];
  readonly if?: SchemaNode;
  readonly then?: SchemaNode;
  readonly not?: SchemaNode;
}

export type SchemaType = 'object' | 'array' | 'string' | 'integer' | 'boolean' | 'null';

type Extras = Omit<SchemaNode, 'description' | 'type'>;

/** What no string of a config.json may hold: it becomes a C string sooner or later. */
const NO_NUL = { pattern: '^[^\\u0000]*$', patternErrorMessage: 'holds a NUL byte, which no path, argument or name can carry' };

export function text(description: string, extras: Extras = {}): SchemaNode {
  return { description, type: 'string', maxLength: LIMITS.text, ...NO_NUL, ...extras };
}

/** Not empty. */
export function name(description: string, extras: Extras = {}): SchemaNode {
  return text(description, { minLength: 1, ...extras });
}

export function absolutePath(description: string, extras: Extras = {}): SchemaNode {
  return text(description, {
    minLength: 1,
    maxLength: 4095,
    pattern: '^/[^\\u0000]*$',
    patternErrorMessage: 'is not an absolute path',
    ...extras,
  });
}

export function word(description: string, words: readonly string[], extras: Extras = {}): SchemaNode {
  return { description, type: 'string', enum: words, ...extras };
}

export function integer(description: string, extras: Extras = {}): SchemaNode {
  return { description, type: 'integer', ...extras };
}

/** A uid or gid; 2^32-1 means "leave unchanged" to the kernel and cannot be one. */
export function id(description: string, extras: Extras = {}): SchemaNode {
  return integer(description, { minimum: 0, maximum: ID_MAX, ...extras });
}

export function flag(description: string, extras: Extras = {}): SchemaNode {
  return { description, type: 'boolean', ...extras };
}

export function list(description: string, items: SchemaNode, extras: Extras = {}): SchemaNode {
  return { description, type: 'array', maxItems: LIMITS.entries, items, ...extras };
}

/** Free keys, each with a value of one shape. */
export function map(description: string, values: SchemaNode, extras: Extras = {}): SchemaNode {
  return { description, type: 'object', maxProperties: LIMITS.entries, additionalProperties: values, ...extras };
}

export interface Members {
  readonly required?: Readonly<Record<string, SchemaNode>>;
  readonly optional?: Readonly<Record<string, SchemaNode>>;
}

/** An object; fields that are not named are allowed, as the specification wants readers to ignore them. */
export function object(description: string, { required = {}, optional = {} }: Members, extras: Extras = {}): SchemaNode {
  const nullable = Object.entries(optional).map(([key, node]) => [key, orNull(node)] as const);
  return {
    description,
    type: 'object',
    ...(Object.keys(required).length > 0 ? { required: Object.keys(required) } : {}),
    properties: { ...required, ...Object.fromEntries(nullable) },
    ...extras,
  };
}

/** The same, or null. */
export function orNull(node: SchemaNode): SchemaNode {
  const types = node.type === undefined ? [] : Array.isArray(node.type) ? (node.type as readonly SchemaType[]) : [node.type as SchemaType];
  return {
    ...node,
    ...(types.length > 0 ? { type: [...types, 'null'] } : {}),
    ...(node.enum ? { enum: [...node.enum, null] } : {}),
  };
}

/** Where `condition` holds, `consequence` must too. */
export function when(condition: SchemaNode, consequence: SchemaNode): Pick<SchemaNode, 'if' | 'then'> {
  // biome-ignore lint/suspicious/noThenProperty: JSON Schema's word; nothing awaits it
  return { if: condition, then: consequence };
}
