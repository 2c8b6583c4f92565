/**
 * Good and bad documents made out of a schema: for every field, values that its keywords allow and values that they refuse.
 *
 * Knows: JSON Schema's keywords as schema/shape.ts uses them. Does not know: any field, nor who judges the documents.
 */
import type { SchemaNode } from '../schema/shape.ts';

export interface Sample {
  /** JSON pointer of the field that was changed. */
  readonly pointer: string;
  readonly value: unknown;
  /** What the schema was made to say about it. */
  readonly good: boolean;
}

/** Every field of the schema with its pointer; element 0 of arrays, one key of maps. */
export function fields(node: SchemaNode, pointer = ''): { readonly pointer: string; readonly node: SchemaNode }[] {
  const own = pointer === '' ? [] : [{ pointer, node }];
  const members = Object.entries(node.properties ?? {}).flatMap(([key, child]) => fields(child, `${pointer}/${key}`));
  const items = node.items ? fields(node.items, `${pointer}/0`) : [];
  const values = node.additionalProperties ? fields(node.additionalProperties, `${pointer}/${sampleKey(node)}`) : [];
  return [...own, ...members, ...items, ...values];
}

/** Values for one field, each with the schema's verdict. */
export function samples(pointer: string, node: SchemaNode): Sample[] {
  return [...new Set([...goodValues(node)])]
    .map((value) => ({ pointer, value, good: true }))
    .concat(badValues(node).map((value) => ({ pointer, value, good: false })));
}

function types(node: SchemaNode): readonly string[] {
  return node.type === undefined ? [] : Array.isArray(node.type) ? (node.type as string[]) : [node.type as string];
}

function* goodValues(node: SchemaNode): Generator<unknown> {
  if (types(node).includes('null')) yield null;
  for (const value of node.enum ?? []) if (value !== (node.not as { const?: unknown } | undefined)?.const) yield value;
  if (node.default !== undefined) yield node.default;
  yield* node.examples ?? [];
  if (types(node).includes('boolean')) yield* [true, false];
  if (types(node).includes('integer')) {
    if (node.minimum !== undefined) yield node.minimum;
    if (node.maximum !== undefined && node.maximum < Number.MAX_SAFE_INTEGER) yield node.maximum;
  }
}

/** One value for each keyword that it breaks, and one for each wrong type. */
function badValues(node: SchemaNode): unknown[] {
  const allowed = types(node);
  const bad: unknown[] = [];
  const others: Readonly<Record<string, unknown>> = { object: {}, array: [], string: 'x', integer: 7, boolean: true, null: null };
  for (const [type, value] of Object.entries(others)) if (!allowed.includes(type)) bad.push(value);
  if (allowed.includes('integer')) {
    bad.push(1.5);
    if (node.minimum !== undefined) bad.push(node.minimum - 1);
    if (node.maximum !== undefined && node.maximum < Number.MAX_SAFE_INTEGER) bad.push(node.maximum + 1);
    const gaps = (node.anyOf ?? []).flatMap(({ minimum }) => (minimum === undefined ? [] : [minimum - 1]));
    bad.push(...gaps);
  }
  if (node.not?.const !== undefined) bad.push(node.not.const);
  if (node.enum) bad.push('no-such-word');
  if (allowed.includes('string') && !node.enum) {
    if (node.minLength !== undefined) bad.push('');
    if (node.pattern !== undefined) bad.push('\0');
    if (node.maxLength !== undefined) bad.push((node.examples?.[0] ?? '/x').toString().padEnd(node.maxLength + 1, 'x'));
  }
  if (allowed.includes('array') && (node.minItems ?? 0) > 0) bad.push([]);
  for (const key of node.required ?? []) {
    const whole = sampleValue(node) as Record<string, unknown>;
    const { [key]: _gone, ...rest } = whole;
    bad.push(rest, { ...whole, [key]: null });
  }
  return bad;
}

/** One good value of the whole field, with everything that may be below it. */
export function sampleValue(node: SchemaNode): unknown {
  if (node.properties) return Object.fromEntries(Object.entries(node.properties).map(([key, child]) => [key, sampleValue(child)]));
  if (node.additionalProperties) return { [sampleKey(node)]: sampleValue(node.additionalProperties) };
  if (node.items) return [sampleValue(node.items)];
  if (node.examples?.[0] !== undefined) return node.examples[0];
  if (node.default !== undefined) return node.default;
  if (node.enum) return node.enum[0];
  if (types(node).includes('boolean')) return true;
  if (types(node).includes('integer')) return Math.max(node.minimum ?? 0, 1);
  return node.pattern?.startsWith('^/') || node.pattern?.startsWith('^(/') ? '/x' : '1';
}

function sampleKey(node: SchemaNode): string {
  const example = node.examples?.[0];
  return typeof example === 'object' && example !== null ? (Object.keys(example)[0] ?? 'k') : 'k';
}

/** A copy of `document` with `value` at `pointer`. */
export function withValue(document: unknown, pointer: string, value: unknown): unknown {
  const copy = structuredClone(document);
  const keys = pointer.split('/').slice(1);
  const last = keys.pop() ?? '';
  let target = copy as object;
  for (const key of keys) target = Reflect.get(target, key) as object;
  Reflect.set(target, last, value);
  return copy;
}
