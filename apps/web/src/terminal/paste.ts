/**
 * What may be pasted without asking.
 *
 * Knows: a pasted newline runs a command unless the shell brackets pastes. Pure.
 * Does not know: the clipboard, dialogs.
 */

/** Several lines are shown and confirmed first; one line with its own newline at the end is not harmless either. */
export function needsConfirmation(text: string): boolean {
  return /[\r\n]/.test(text);
}

/** Escape sequences in a paste could end the bracket or reprogram the terminal: only tabs and newlines stay. */
export function cleanPaste(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/[\u0000-\u0008\u000b-\u001f\u007f\u0080-\u009f]/g, '');
}
