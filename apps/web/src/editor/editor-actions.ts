/**
 * What the editor's controls do: edits by field, plans and runs on the machine, documents from elsewhere.
 *
 * Knows: the editor's state and what the machine can be asked. Does not know: how anything is drawn.
 */

import type { WorkbenchRun } from '@slipway/contracts';
import { AGAIN_MS, mayPass, untilAnswered } from '../net/patience.ts';
import { linkedDocument } from '../state/address.ts';
import { api } from '../state/api.ts';
import { workbench } from '../state/lab.ts';
import { useView } from '../state/stores.ts';
import type { CodeView } from './code/code-view.ts';
import type { Fault } from './code/schema-service.ts';
import { type EditorState, useEditor } from './editor-store.ts';
import { applyEdits, editsFor } from './text/json-edits.ts';
import { nearestRange, readValue, withoutComments } from './text/json-text.ts';
import { withWrites } from './text/plan-diff.ts';
import { unpackText } from './text/share.ts';

const DRAFT = 'slipway.config';
/** Long enough that a word is finished, short enough to feel at once. */
const PAUSE_MS = 350;
const RUN_MS = 10_000;

let view: Pick<CodeView, 'edit'> | undefined;

/** The text editor, while there is one: edits go through it, so that they can be undone there. @returns how to withdraw */
export function provideEditing(next: Pick<CodeView, 'edit'>): () => void {
  view = next;
  return () => {
    view = undefined;
  };
}

/** The text as typed; the plan follows a moment later. */
export function changeText(text: string): void {
  if (text === useEditor.getState().text) return;
  useEditor.setState({ text });
  keepDraft(text);
  planSoon();
}

/** Puts a value at a field, and leaves everything else as it is written; undefined takes the field away. */
export function editField(pointer: string, value: unknown): void {
  const { text } = useEditor.getState();
  const edits = editsFor(text, pointer, value);
  if (edits.length === 0) return;
  if (view) view.edit(edits);
  else changeText(applyEdits(text, edits));
}

/** Everything wrong with the text: what the page sees at once, and about a field that the machine has spoken of, the machine's words. */
export function allFaults({
  text,
  checkedText,
  issues,
  faults,
}: Pick<EditorState, 'text' | 'issues' | 'faults' | 'checkedText'>): readonly Fault[] {
  if (checkedText !== text) return faults;
  const found = issues.flatMap(({ pointer, message }) => {
    const range = nearestRange(text, pointer);
    return range ? [{ pointer, message, severity: 'error', range } as const] : [];
  });
  return [...faults.filter((fault) => !issues.some(({ pointer }) => pointer === fault.pointer)), ...found];
}

let timer: ReturnType<typeof setTimeout> | undefined;

function planSoon(pauseMs = PAUSE_MS): void {
  clearTimeout(timer);
  timer = setTimeout(() => void planNow(), pauseMs);
}

/** Asks for the plan of the text as it is. A text that is no JSON is not asked about: the page knows that already. */
export async function planNow(): Promise<void> {
  clearTimeout(timer);
  const { text } = useEditor.getState();
  if (readValue(text) === undefined) return;
  useEditor.setState({ busy: 'plan' });
  try {
    const { operations: launched, writes, warnings, issues } = await workbench.ask({ do: 'plan', config: withoutComments(text) });
    const operations = withWrites(launched, writes);
    useEditor.setState(({ waiting: _over, ...state }) => {
      if (state.text !== text) return state;
      const kept = state.kept ?? (operations.length > 0 ? { name: state.origin || 'the start', operations } : undefined);
      // A plan that cannot be made leaves the last one standing, so that it does not flicker while somebody types.
      const made = issues.length === 0 ? { operations, warnings } : {};
      return { ...state, checkedText: text, issues, ...made, ...(kept ? { kept } : {}) };
    }, true);
  } catch (error) {
    if (!mayPass(error)) useEditor.setState({ problem: message(error) });
    else {
      useEditor.setState({ waiting: message(error) });
      planSoon(AGAIN_MS);
    }
  } finally {
    settle('plan');
  }
}

/** From here on the plan is compared with what it is now. */
export function keepPlan(): void {
  const { operations } = useEditor.getState();
  useEditor.setState({ kept: { name: 'what you kept', operations } });
}

/** Runs the document as it is, once, on the chosen runtime; in a terminal, if its program wants one. */
export async function runNow(): Promise<void> {
  const { text, busy, operations, checkedText } = useEditor.getState();
  if (busy === 'run') return;
  useEditor.setState({ busy: 'run', side: 'run', phone: 'run' });
  await closeTerminal();
  try {
    const result = await (wantsTerminal(text) ? runInTerminal() : runToEnd());
    // What was run is what the next edits are compared with.
    useEditor.setState({ run: { text, result }, ...(checkedText === text ? { kept: { name: 'the last run', operations } } : {}) });
  } catch (error) {
    useEditor.setState({ problem: message(error) });
  } finally {
    settle('run');
  }
}

function runToEnd(): Promise<WorkbenchRun> {
  const { text, image, runtime } = useEditor.getState();
  return workbench.ask({ do: 'run', image, config: withoutComments(text), runtime, timeoutMs: RUN_MS });
}

/** The terminal is there at once; what the kernel shows follows when the program has begun. */
async function runInTerminal(): Promise<WorkbenchRun> {
  const { text, image, runtime } = useEditor.getState();
  const { run, terminal } = await workbench.ask({ do: 'openRun', image, config: withoutComments(text), runtime });
  useEditor.setState({ terminal });
  return await workbench.ask({ do: 'seeRun', run });
}

/** Of the run before; its container goes with it. */
async function closeTerminal(): Promise<void> {
  const { terminal } = useEditor.getState();
  if (terminal === undefined) return;
  useEditor.setState(({ terminal: _closed, ...rest }) => rest, true);
  await api.closeTerminal(terminal).catch(() => undefined); // it may be closed already
}

function wantsTerminal(text: string): boolean {
  const { process } = (readValue(text) ?? {}) as { readonly process?: { readonly terminal?: unknown } };
  return process?.terminal === true;
}

/** Opens on what a link holds, else on the last draft, else on a fresh document; nothing of it is run. @returns how to leave */
export function openEditor(): () => void {
  let left = false;
  void load(async () => {
    if (!useEditor.getState().schema) useEditor.setState({ schema: await api.configSchema() });
    // Who opens the editor at once comes before the engine of a new machine.
    const goesOn = (error: unknown) => {
      if (!left) useEditor.setState({ waiting: message(error) });
      return !left;
    };
    const found = await untilAnswered(() => workbench.ask<'images'>({ do: 'images' }), { goesOn });
    if (left || found === undefined) return;
    const { images } = found;
    useEditor.setState(({ waiting: _over, ...state }) => ({ ...state, images, image: state.image || (images[0] ?? '') }), true);
    await openDocument();
  });
  const followLink = () => void openShared();
  window.addEventListener('hashchange', followLink);
  return () => {
    left = true;
    clearTimeout(timer);
    window.removeEventListener('hashchange', followLink);
  };
}

async function openDocument(): Promise<void> {
  if (await openShared()) return;
  const { text, image } = useEditor.getState();
  if (text !== '') return void planSoon();
  const draft = storedDraft();
  if (draft) takeDocument(draft, 'your last draft');
  else if (image !== '') await startFromSpec(image);
}

/** The document of the address, where it has one. */
async function openShared(): Promise<boolean> {
  const linked = linkedDocument(location.hash);
  if (linked === undefined) return false;
  if ('line' in linked) return await openLine(linked.line);
  const text = await unpackText(linked.packed);
  if (text === undefined) {
    useEditor.setState({ problem: 'The link does not hold a document: it was cut, or is not one of ours.' });
    return false;
  }
  if (text !== useEditor.getState().text) takeDocument(text, 'a link');
  return true;
}

async function openLine(line: string): Promise<boolean> {
  await load(async () => {
    const { text, ...rest } = await readDockerLine(line);
    takeDocument(text, line, rest);
  });
  return useEditor.getState().origin === line;
}

/** Hands the document to the birth stepper, and shows it there. */
export async function stepThrough(): Promise<void> {
  const { text, image } = useEditor.getState();
  const { firstBirth } = await import('../birth/births.ts');
  // Before it is shown: a stepper that is opened takes a document of its own where it has none.
  const taken = firstBirth.take(withoutComments(text), image);
  useView.setState({ place: 'lab', panel: 'birth', ...(matchMedia('(max-width: 760px)').matches ? { sheet: 'explorers' } : {}) });
  await taken;
}

/** Takes another document; what was compared and run before is about the old one. */
export function takeDocument(text: string, origin: string, rest: Partial<EditorState> = {}): void {
  useEditor.setState((state) => {
    const { kept: _kept, run: _run, pointer: _pointer, checkedText: _checked, problem: _problem, ...others } = state;
    return { ...others, operations: [], warnings: [], issues: [], origins: [], ...rest, text, origin };
  }, true);
  keepDraft(text);
  void planNow();
}

/** The machine's own idea of a small document for this image. */
export async function startFromSpec(image: string): Promise<void> {
  await load(async () => {
    const { config } = await workbench.ask({ do: 'spec', image });
    takeDocument(config, `spec for ${image}`, { image });
  });
}

export async function startFromContainer(container: string, name: string): Promise<void> {
  await load(async () => {
    const { config, image } = await workbench.ask({ do: 'fromContainer', container });
    takeDocument(config, `container ${name}`, { image });
  });
}

/** @throws when the line is refused; the dialog shows why */
export async function readDockerLine(line: string): Promise<Pick<EditorState, 'text' | 'image' | 'origins'>> {
  const { config, image, origins } = await workbench.ask({ do: 'fromDockerRun', line });
  return { text: config, image, origins };
}

/** @throws when the machine cannot make it; the dialog shows why */
export async function exportBundle(): Promise<{ readonly path: string }> {
  const { text, image } = useEditor.getState();
  return await workbench.ask({ do: 'exportBundle', image, config: withoutComments(text) });
}

export async function listContainers() {
  return (await workbench.ask({ do: 'containers' })).containers;
}

async function load(work: () => Promise<void>): Promise<void> {
  useEditor.setState({ busy: 'load' });
  try {
    await work();
  } catch (error) {
    useEditor.setState({ problem: message(error) });
  } finally {
    settle('load');
  }
}

/** What is said of anything that went wrong; `problem` stays until the next one or until it is closed. */
function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function settle(what: NonNullable<EditorState['busy']>): void {
  useEditor.setState((state) => {
    if (state.busy !== what) return state;
    const { busy: _done, ...rest } = state;
    return rest;
  }, true);
}

export function closeProblem(): void {
  useEditor.setState(({ problem: _closed, ...rest }) => rest, true);
}

function keepDraft(text: string): void {
  try {
    localStorage.setItem(DRAFT, text);
  } catch {
    // Without storage the draft lasts until the page is closed.
  }
}

/** What was in the editor when it was last open. */
export function storedDraft(): string | undefined {
  try {
    return localStorage.getItem(DRAFT) ?? undefined;
  } catch {
    return undefined;
  }
}
