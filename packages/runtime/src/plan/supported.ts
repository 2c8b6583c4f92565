/**
 * What this runtime does not act on yet, refused by name.
 *
 * Knows: the fields of the specification that have no operation here.
 * Does not know: limits of cgroups; packages/cgroups refuses its own.
 */
import type { RuntimeSpec } from '@slipway/oci';
import { unsupported } from './draft.ts';

/** JSON pointers. An empty value (`""`, `{}`, `[]`) asks for nothing and passes. */
const UNSUPPORTED = ['/linux/intelRdt', '/linux/mountLabel'] as const;

/**
 * @throws EngineError `unsupported` / `E_SPEC_UNSUPPORTED` naming the first such field; annotations and unknown fields pass
 * @spec runtime-spec/config-linux.md#intelrdt
 */
export function requireSupported(spec: RuntimeSpec): void {
  for (const pointer of UNSUPPORTED) {
    if (!isEmpty(valueAt(spec, pointer)))
      throw unsupported(pointer, `${pointer.slice(1).replaceAll('/', '.')} is not supported by this runtime`);
  }
}

function valueAt(document: unknown, pointer: string): unknown {
  let value = document;
  for (const key of pointer.slice(1).split('/')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return value;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.values(value).every(isEmpty);
}
