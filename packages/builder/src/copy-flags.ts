/**
 * The flags of `COPY` and `ADD`.
 *
 * Knows: which there are, and what their values may be.
 * Does not know: files.
 */
import { type Expansion, expandWord, type Instruction, requireFlags } from '@slipway/dockerfile';
import type { SourceTo } from './copy-sources.ts';
import { stepError } from './failure.ts';
import { parseExcludes } from './patterns.ts';

const KNOWN: Readonly<Record<string, readonly string[]>> = {
  COPY: ['from', 'chown', 'chmod', 'link', 'parents', 'exclude'],
  ADD: ['chown', 'chmod', 'link', 'keep-git-dir', 'checksum', 'exclude'],
};

export interface CopyFlags {
  readonly from?: string;
  readonly chown?: string;
  readonly checksum?: string;
  /** What of them a copy goes by. */
  readonly to: Pick<SourceTo, 'mode' | 'keepsParents' | 'excludes' | 'isExcluded'>;
}

/** @throws EngineError `invalid-argument` / `E_DOCKERFILE` for unknown ones, `E_BUILD_STEP` for values that are none */
export function readCopyFlags(instruction: Instruction, expansion: Expansion): CopyFlags {
  const { keyword, line } = instruction;
  const flags = requireFlags(instruction, KNOWN[keyword] ?? []);
  const excludes = instruction.flags.flatMap(([name, value]) => (name === 'exclude' ? [expandWord(value, expansion)] : []));
  const [from, chown, chmod, checksum] = ['from', 'chown', 'chmod', 'checksum'].map((name) => flags.get(name));
  return {
    ...(from === undefined ? {} : { from }),
    ...(chown === undefined ? {} : { chown: expandWord(chown, expansion) }),
    ...(checksum === undefined ? {} : { checksum: expandWord(checksum, expansion) }),
    to: {
      ...modeOf(chmod === undefined ? undefined : expandWord(chmod, expansion), line),
      keepsParents: flags.has('parents') && flags.get('parents') !== 'false',
      excludes,
      ...(excludes.length === 0 ? {} : { isExcluded: parseExcludes(excludes, line) }),
    },
  };
}

function modeOf(text: string | undefined, line: number): { readonly mode?: number } {
  if (text === undefined) return {};
  if (!/^[0-7]{3,4}$/.test(text)) throw stepError(line, `--chmod=${text.slice(0, 20)} is not an octal mode`);
  return { mode: Number.parseInt(text, 8) };
}
