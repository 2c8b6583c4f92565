/**
 * What the OCI runtime specification asks for, as data: one entry for each normative sentence, in our words.
 *
 * Knows: the shape of an entry, what the possible answers to it are, and the list of chapters.
 * Does not know: where the code is and which test proves it; the sources say that themselves (scan.ts).
 */
import { BUNDLE } from './chapter-bundle.ts';
import { CONFIG } from './chapter-config.ts';
import { CONFIG_LINUX } from './chapter-config-linux.ts';
import { CONTROL_GROUPS } from './chapter-control-groups.ts';
import { FEATURES } from './chapter-features.ts';
import { RUNTIME } from './chapter-runtime.ts';
import { SECCOMP } from './chapter-seccomp.ts';

/** The release that the chapters follow. Statements about other systems than Linux are left out. */
export const RELEASE = '1.3';

/** With neither `refused`, `not` nor `author`, a statement is claimed to be implemented, and needs a test. */
export interface Statement {
  /** What has to be so. Exactly one of `must` (MUST, REQUIRED and their negations), `should`, and `may`, for what is offered by name. */
  readonly must?: string;
  readonly should?: string;
  readonly may?: string;
  /** We answer with an error that names the field, for this reason. Needs a test of the refusal. */
  readonly refused?: string;
  /** We do not do it, for this reason, and say so nowhere else. */
  readonly not?: string;
  /** It binds whoever writes the document and leaves a runtime nothing to do, for this reason. */
  readonly author?: string;
  /** Why no test puts it to every other runtime. Where it is implemented or refused, either such a test is there or this reason. */
  readonly untried?: string;
}

export interface Chapter {
  /** The document's name in the specification. */
  readonly document: string;
  /** `section/statement`; the section is the anchor of its heading. */
  readonly statements: Readonly<Record<string, Statement>>;
}

/** In the order of the specification. */
export const CHAPTERS: readonly Chapter[] = [
  BUNDLE,
  RUNTIME,
  CONFIG,
  mergeChapters('config-linux.md', CONFIG_LINUX, CONTROL_GROUPS, SECCOMP),
  FEATURES.core,
  FEATURES.linux,
];

function mergeChapters(document: string, ...parts: readonly Chapter['statements'][]): Chapter {
  return { document, statements: Object.assign({}, ...parts) };
}
