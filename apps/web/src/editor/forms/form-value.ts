/**
 * The document's value for the forms: read once for all of them.
 *
 * Knows: that a text which is no JSON has no value; the forms then rest. Does not know: any field.
 */
import { createContext, useContext } from 'react';

export const FormValue = createContext<unknown>(undefined);

export function useFormValue(): unknown {
  return useContext(FormValue);
}

/** Whether there is a document to edit by field. */
export function useFormUsable(): boolean {
  return useContext(FormValue) !== undefined;
}
