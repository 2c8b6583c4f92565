/**
 * The question before several lines are pasted.
 *
 * Knows: the text. Does not know: which terminal gets it.
 */
'use client';
import { Confirm } from '@slipway/ui';
import { cleanPaste } from './paste.ts';

export function PasteQuestion(props: { readonly text: string; readonly onConfirm: () => void; readonly onClose: () => void }) {
  return (
    <Confirm
      title={`Paste ${props.text.trimEnd().split('\n').length} lines?`}
      action="Paste"
      onConfirm={props.onConfirm}
      onClose={props.onClose}
    >
      <p>Each line may run as a command at once.</p>
      <pre className="paste-preview">{cleanPaste(props.text).slice(0, 2000)}</pre>
    </Confirm>
  );
}
