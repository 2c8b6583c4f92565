/**
 * What the config.json editor knows: the text, which field is looked at, what is wrong with it, what would be done for it, what was done.
 *
 * Knows: the shape of that state. Does not know: the machine (editor-actions.ts asks it), nor how anything is drawn.
 */
import type { PlannedOperation, WorkbenchAnswer, WorkbenchRun } from '@slipway/contracts';
import { create } from 'zustand';
import type { Fault } from './code/schema-service.ts';
import type { FieldSchema } from './text/field-docs.ts';

export type RuntimeName = 'ours' | 'runc' | 'crun';
export type SideView = 'plan' | 'run';
/** On a phone one of these fills the page. */
export type PhoneView = 'form' | 'json' | SideView;

export interface DoneRun {
  readonly text: string;
  readonly result: WorkbenchRun;
}

export type DockerOrigins = WorkbenchAnswer<'fromDockerRun'>['origins'];

export interface EditorState {
  readonly text: string;
  /** JSON pointer of the field that every view shows; absent: none in particular. */
  readonly pointer?: string;
  readonly image: string;
  readonly images: readonly string[];
  /** Absent until it has been loaded. */
  readonly schema?: FieldSchema;
  /** Of the page itself, while somebody types. */
  readonly faults: readonly Fault[];
  /** Of the machine's validator and planner, for `checkedText`. */
  readonly issues: readonly { readonly pointer: string; readonly message: string }[];
  readonly checkedText?: string;
  readonly operations: readonly PlannedOperation[];
  readonly warnings: readonly string[];
  /** What the plan is compared with: the plan that was kept last, or that of the last run. */
  readonly kept?: { readonly name: string; readonly operations: readonly PlannedOperation[] };
  /** What the machine is asked at this moment. */
  readonly busy?: 'plan' | 'run' | 'load';
  readonly problem?: string;
  /** Why the machine does not answer yet, while it is asked again by itself. */
  readonly waiting?: string;
  readonly runtime: RuntimeName;
  readonly run?: DoneRun;
  /** Of the run of a document whose program wants a terminal. */
  readonly terminal?: string;
  /** Which flag of a `docker run` line set which fields, while that line is the document's origin. */
  readonly origins: DockerOrigins;
  /** Where the text came from, in words. */
  readonly origin: string;
  readonly side: SideView;
  readonly phone: PhoneView;
}

export const useEditor = create<EditorState>(() => ({
  text: '',
  image: '',
  images: [],
  faults: [],
  issues: [],
  operations: [],
  warnings: [],
  runtime: 'ours',
  origins: [],
  origin: '',
  side: 'plan',
  phone: 'json',
}));

/** Shows one field in every view: the text, the forms, the plan, the evidence. */
export function lookAt(pointer: string): void {
  if (useEditor.getState().pointer !== pointer) useEditor.setState({ pointer });
}

/** Whether something said about `pointer` is about `field` or anything below it. */
export function isAbout(pointer: string, field: string | undefined): boolean {
  return field !== undefined && field !== '' && (pointer === field || pointer.startsWith(`${field}/`));
}
