/**
 * A modal question or page, on the browser's own <dialog>: it keeps the focus inside, closes with Escape, gives the focus back.
 *
 * Knows: how a dialog opens and closes. Does not know: what is asked.
 */
import { type ReactNode, useId, useLayoutEffect, useRef } from 'react';
import { Button, IconButton } from './controls.tsx';

export function Dialog(props: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly footer?: ReactNode;
  readonly wide?: boolean;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before it is painted and before it is taken away: no key may go elsewhere, and only a dialog that is still there gives the focus back.
  useLayoutEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) dialog.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      className={props.wide ? 'dialog wide' : 'dialog'}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}
      onPointerDown={(event) => {
        if (event.target === ref.current) props.onClose();
      }}
    >
      <div className="dialog-body">
        <header>
          <h2 id={id}>{props.title}</h2>
          <IconButton icon="cross" label="Close" onClick={props.onClose} />
        </header>
        {props.children}
        {props.footer ? <footer>{props.footer}</footer> : null}
      </div>
    </dialog>
  );
}

/** Asks before something that can't be taken back. */
export function Confirm(props: {
  readonly title: string;
  readonly children: ReactNode;
  readonly action: string;
  readonly danger?: boolean;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}) {
  return (
    <Dialog
      title={props.title}
      onClose={props.onClose}
      footer={
        <>
          <Button onClick={props.onClose}>Cancel</Button>
          <Button
            tone={props.danger ? 'danger' : 'act'}
            autoFocus
            onClick={() => {
              props.onConfirm();
              props.onClose();
            }}
          >
            {props.action}
          </Button>
        </>
      }
    >
      {props.children}
    </Dialog>
  );
}
