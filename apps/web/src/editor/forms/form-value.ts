/**
 * The document's value for the forms: read once for all of them.
 *
 * Knows: that a text which is no JSON has no value; the forms then rest, and show what it was last. Does not know: any field.
 */
import { createContext, useContext } from 'react';

export interface FormDocument {
  /** Of the last text that was JSON. */
  readonly value: unknown;
  /** Whether the text is JSON at this moment, so that a field of it can be edited. */
  readonly usable: boolean;
}

export const FormValue = createContext<FormDocument>({ value: undefined, usable: false });

export function useFormValue(): unknown {
  return useContext(FormValue).value;
}

export function useFormUsable(): boolean {
  return useContext(FormValue).usable;
}
