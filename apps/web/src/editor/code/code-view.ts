/**
 * The text editor itself: CodeMirror with the schema's completion, hover texts and faults.
 *
 * Knows: CodeMirror. Does not know: where faults come from beyond the schema, nor what happens with the text.
 */
import {
  autocompletion,
  type Completion,
  type CompletionContext,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  snippet,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { json } from '@codemirror/lang-json';
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from '@codemirror/language';
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { Annotation, Compartment, EditorState, StateEffect, StateField } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  hoverTooltip,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';
import type { TextEdit } from '../text/json-edits.ts';
import type { TextRange } from '../text/json-text.ts';
import type { Fault, Proposal, SchemaService } from './schema-service.ts';

export interface CodeViewEvents {
  readonly changed: (text: string) => void;
  /** The cursor was moved by its owner. */
  readonly moved: (offset: number) => void;
}

export interface CodeView {
  setText(text: string): void;
  edit(edits: readonly TextEdit[]): void;
  showFaults(faults: readonly Fault[]): void;
  /** Marks a range; and brings it into view where `reveal`. */
  mark(range: TextRange | undefined, reveal: boolean): void;
  completeWith(service: SchemaService): void;
  focus(): void;
  destroy(): void;
}

/** A change by the page rather than by typing. */
const ours = Annotation.define<boolean>();

export function openCodeView(parent: HTMLElement, text: string, events: CodeViewEvents): CodeView {
  const schema = new Compartment();
  const view = new EditorView({
    parent,
    state: EditorState.create({ doc: text, extensions: [...BASICS, schema.of([]), listener(events)] }),
  });
  return {
    setText: (next) => {
      const before = view.state.doc.toString();
      if (before !== next) view.dispatch({ changes: smallestChange(before, next), annotations: ours.of(true) });
    },
    edit: (edits) => {
      if (edits.length > 0) view.dispatch({ changes: [...edits], annotations: ours.of(true) });
    },
    showFaults: (faults) => view.dispatch(setDiagnostics(view.state, diagnostics(faults, view.state.doc.length))),
    mark: (range, reveal) => {
      const fits = range && range.to <= view.state.doc.length ? range : undefined;
      view.dispatch({
        effects: [setMark.of(fits), ...(fits && reveal ? [EditorView.scrollIntoView(fits.from, { y: 'center' })] : [])],
        annotations: ours.of(true),
      });
    },
    completeWith: (service) => view.dispatch({ effects: schema.reconfigure(schemaExtensions(service)) }),
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}

const setMark = StateEffect.define<TextRange | undefined>();

const marked = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (before, transaction) => {
    let found = before.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(setMark)) continue;
      const range = effect.value;
      found =
        range && range.to > range.from
          ? Decoration.set([Decoration.mark({ class: 'cm-looked-at' }).range(range.from, range.to)])
          : Decoration.none;
    }
    return found;
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** Colours are those of JSON elsewhere on the page (styles/explorer.css). */
const COLOURS = HighlightStyle.define([
  { tag: tags.propertyName, class: 'json-key' },
  { tag: tags.string, class: 'json-string' },
  { tag: tags.number, class: 'json-number' },
  { tag: [tags.bool, tags.null], class: 'json-word' },
  { tag: tags.comment, class: 'json-comment' },
]);

const BASICS = [
  lineNumbers(),
  foldGutter(),
  lintGutter(),
  history(),
  drawSelection(),
  indentOnInput(),
  indentUnit.of('  '),
  bracketMatching(),
  closeBrackets(),
  highlightActiveLine(),
  highlightSelectionMatches(),
  json(),
  syntaxHighlighting(COLOURS),
  marked,
  EditorView.contentAttributes.of({ 'aria-label': 'config.json', tabindex: '0', spellcheck: 'false', autocapitalize: 'off' }),
  // Tab moves on, as everywhere on the page; Mod-[ and Mod-] indent.
  keymap.of([
    ...closeBracketsKeymap,
    ...defaultKeymap,
    ...searchKeymap,
    ...historyKeymap,
    ...foldKeymap,
    ...completionKeymap,
    ...lintKeymap,
  ]),
];

function listener(events: CodeViewEvents) {
  return EditorView.updateListener.of((update) => {
    if (update.docChanged) events.changed(update.state.doc.toString());
    const byHand = !update.transactions.some((transaction) => transaction.annotation(ours));
    if (byHand && (update.selectionSet || update.docChanged)) events.moved(update.state.selection.main.head);
  });
}

function schemaExtensions(service: SchemaService) {
  return [autocompletion({ override: [(context) => complete(service, context)], icons: false }), hover(service)];
}

async function complete(service: SchemaService, context: CompletionContext) {
  const proposals = await service.propose(context.state.doc.toString(), context.pos);
  const [first] = proposals;
  if (!first || context.aborted) return null;
  return { from: first.range.from, options: proposals.map(completion), filter: true };
}

function completion(proposal: Proposal): Completion {
  return {
    label: proposal.match,
    displayLabel: proposal.label,
    ...(proposal.description ? { info: () => describedBy(proposal.description) } : {}),
    apply: (view, chosen, from) =>
      snippet(proposal.snippet)(view, chosen, from, Math.max(proposal.range.to, view.state.selection.main.head)),
  };
}

function hover(service: SchemaService) {
  return hoverTooltip((view, offset) => {
    const found = service.describe(view.state.doc.toString(), offset);
    if (!found?.field.description) return null;
    const { pointer, field, range } = found;
    const facts = [pointer, ...limits(field)].join(' · ');
    return { pos: range.from, end: range.to, above: true, create: () => ({ dom: describedBy(field.description ?? '', facts) }) };
  });
}

function limits({
  enum: words,
  minimum,
  maximum,
}: {
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
}): string[] {
  const known = words?.filter((word) => word !== null && word !== '');
  return [
    ...(known && known.length <= 12 ? [known.join(' | ')] : []),
    ...(minimum === undefined ? [] : [`from ${minimum}`]),
    ...(maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? [] : [`to ${maximum}`]),
  ];
}

function describedBy(text: string, facts?: string): HTMLElement {
  const box = document.createElement('div');
  box.className = 'cm-field-doc';
  box.append(Object.assign(document.createElement('p'), { textContent: text }));
  if (facts) box.append(Object.assign(document.createElement('code'), { textContent: facts }));
  return box;
}

function diagnostics(faults: readonly Fault[], length: number): Diagnostic[] {
  return faults.map(({ range, severity, pointer, message }) => ({
    from: Math.min(range.from, length),
    to: Math.min(range.to, length),
    severity: severity === 'error' ? 'error' : 'warning',
    message: `${pointer || 'the document'} ${message}`,
  }));
}

/** So that undo, folds and the cursor survive a text that is mostly the same. */
function smallestChange(before: string, after: string): TextEdit {
  let from = 0;
  while (from < before.length && from < after.length && before[from] === after[from]) from += 1;
  let tail = 0;
  while (tail < before.length - from && tail < after.length - from && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  return { from, to: before.length - tail, insert: after.slice(from, after.length - tail) };
}
