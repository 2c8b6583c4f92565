/**
 * What the schema says about one field: its description, words, range. For hover texts of the forms and for fields nobody specified.
 *
 * Knows: JSON Schema as packages/oci writes it (no references). Does not know: any field, nor how it is shown.
 */
import { valueAt } from './json-text.ts';

export interface FieldSchema {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly examples?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: FieldSchema;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly additionalProperties?: FieldSchema;
}

/** The schema of a pointer's field; undefined where the specification names none. */
export function fieldSchema(schema: FieldSchema, pointer: string): FieldSchema | undefined {
  let node: FieldSchema | undefined = schema;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    node = node?.items ?? (node?.properties && Object.hasOwn(node.properties, key) ? node.properties[key] : node?.additionalProperties);
  }
  return node;
}

/** Pointers of a document's fields that the schema does not name: the specification makes every runtime pass over them. */
export function unknownFields(schema: FieldSchema, document: unknown): readonly string[] {
  const found: string[] = [];
  const walk = (value: unknown, node: FieldSchema, pointer: string): void => {
    if (typeof value !== 'object' || value === null || found.length >= 100) return;
    for (const key of Object.keys(value)) {
      const at = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      const child = fieldSchema(node, at.slice(pointer.length));
      if (child) walk(valueAt(value, at.slice(pointer.length)), child, at);
      else if (node.properties && !Array.isArray(value)) found.push(at);
    }
  };
  walk(document, schema, '');
  return found;
}
