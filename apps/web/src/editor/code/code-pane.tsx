/**
 * The JSON pane: the text editor bound to the editor's state, both ways.
 *
 * Knows: which changes come from where. Does not know: CodeMirror (code-view.ts).
 */
'use client';
import { useEffect, useRef } from 'react';
import { allFaults, changeText, provideEditing } from '../editor-actions.ts';
import { lookAt, useEditor } from '../editor-store.ts';
import { nearestRange, pointerAt } from '../text/json-text.ts';
import { type CodeView, openCodeView } from './code-view.ts';
import { openSchemaService, type SchemaService } from './schema-service.ts';

export function CodePane() {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => (box.current ? bindCodeView(box.current) : undefined), []);
  return <div className="code-pane" ref={box} />;
}

/** @returns how to let go */
function bindCodeView(parent: HTMLElement): () => void {
  let pointerByHand: string | undefined;
  const view: CodeView = openCodeView(parent, useEditor.getState().text, {
    changed: changeText,
    moved: (offset) => {
      pointerByHand = pointerAt(useEditor.getState().text, offset);
      lookAt(pointerByHand);
    },
  });
  const faults = followFaults(view);
  const withdraw = provideEditing(view);
  let service: SchemaService | undefined;
  const takeSchema = ({ schema } = useEditor.getState()) => {
    if (!schema || service) return;
    service = openSchemaService(schema);
    view.completeWith(service);
    faults.use(service);
  };
  takeSchema();
  const stop = useEditor.subscribe((state, before) => {
    takeSchema(state);
    if (state.text !== before.text) view.setText(state.text);
    if (state.text !== before.text || state.issues !== before.issues) faults.look();
    if (state.pointer !== before.pointer || state.text !== before.text) {
      const range = state.pointer ? nearestRange(state.text, state.pointer) : undefined;
      view.mark(range, state.pointer !== before.pointer && state.pointer !== pointerByHand);
    }
  });
  faults.look();
  return () => {
    stop();
    withdraw();
    faults.stop();
    view.destroy();
  };
}

const PAUSE_MS = 120;

/** Looks for faults a moment after the last change, and shows the page's own with the machine's. */
function followFaults(view: CodeView) {
  let service: SchemaService | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const show = async () => {
    const { text } = useEditor.getState();
    const own = (await service?.faults(text)) ?? [];
    const state = useEditor.getState();
    if (state.text !== text) return;
    useEditor.setState({ faults: own });
    view.showFaults(allFaults(useEditor.getState()));
  };
  const look = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void show(), PAUSE_MS);
  };
  return {
    look,
    use: (next: SchemaService) => {
      service = next;
      look();
    },
    stop: () => clearTimeout(timer),
  };
}
