/**
 * One `COPY` or `ADD`: what decides what it makes, and the members of its layer.
 *
 * Knows: where it goes in the image, links there followed, and what stands above that.
 * Does not know: caches, or how a layer is packed.
 */
import { type Expansion, expandText, type Instruction, readWords, resolveDirectory } from '@slipway/dockerfile';
import type { BuildScope } from './build-scope.ts';
import { type CopyMember, copyDigest, ROOT, requireRoom } from './copy.ts';
import { directoriesAbove } from './copy-above.ts';
import { type CopyFlags, readCopyFlags } from './copy-flags.ts';
import { addedMembers, contextMembers, type SourceTo, stageMembers } from './copy-sources.ts';
import { stepError } from './failure.ts';
import { cleanPath } from './file-tree.ts';
import { madeFile } from './made-files.ts';
import { resolveOwner } from './owner.ts';
import { chainOf, type StageState } from './stage-state.ts';
import type { Ingredients, StepFiles } from './step-memory.ts';

/** Stands for whatever is put into a directory. */
const INSIDE = 'inside';

/** What of its stage a step sees. */
export interface CopyPlace {
  readonly state: StageState;
  readonly expansion: Expansion;
  /** Another stage, or an image. */
  readonly stateOf: (name: string, line: number) => Promise<StageState>;
  /** Of what is made here, in seconds since 1970. */
  readonly mtime: number;
}

export interface CopyStep {
  readonly ingredients: Ingredients;
  /** Of the layer, in order. */
  readonly members: () => Promise<readonly CopyMember[]>;
}

interface CopyRequest {
  readonly keyword: string;
  readonly flags: CopyFlags;
  readonly sources: readonly string[];
  readonly to: SourceTo;
}

/** @throws EngineError naming the line */
export async function planCopyStep(scope: BuildScope, instruction: Instruction, place: CopyPlace): Promise<CopyStep> {
  const request = await readRequest(scope, instruction, place);
  const { to, flags, sources } = request;
  const made = madeMembers(instruction, to, place);
  const source = flags.from === undefined ? undefined : await place.stateOf(flags.from, to.line);
  // Of another stage nothing is read before it is known that it has to be.
  const known = source === undefined ? [...(await ownMembers(scope, request)), ...made] : undefined;
  const members = async () => known ?? [...(source === undefined ? [] : await stageMembers(scope, source, sources, to)), ...made];
  const above = (copied: readonly CopyMember[]) =>
    directoriesAbove(scope, place.state, pathsOf(copied, to), { owner: to.owner ?? ROOT, mtime: newestOf(copied) ?? place.mtime });
  const { line: _line, ...where } = to;
  const parts = {
    'what is copied': source === undefined ? copyDigest(known ?? []) : [chainOf(source), sources],
    'where it goes and whose it is': where,
    'text in the Dockerfile': copyDigest(made),
    'directories above it': copyDigest(await above(known ?? [])),
    times: scope.latestMtime,
  };
  return {
    ingredients: { parts, files: filesOf(known ?? []) },
    members: async () => {
      const copied = await members();
      return [...(await above(copied)), ...copied];
    },
  };
}

async function readRequest(scope: BuildScope, instruction: Instruction, { state, expansion }: CopyPlace): Promise<CopyRequest> {
  const { keyword, line, heredocs } = instruction;
  const flags = readCopyFlags(instruction, expansion);
  const words = readWords(instruction, expansion);
  const destination = words.pop();
  const sources = words.filter((word) => !word.startsWith('<<'));
  if (destination === undefined || (sources.length === 0 && heredocs.length === 0)) {
    throw stepError(line, `${keyword} requires at least two arguments`);
  }
  const { chown, from } = flags;
  const owner = chown === undefined ? undefined : await resolveOwner(scope, state, chown, line);
  // What comes from another stage stays whose it is there.
  const whose = owner ?? (from === undefined ? ROOT : undefined);
  const where = await destinationOf(scope, state, destination);
  const to = { ...where, ...(whose === undefined ? {} : { owner: whose }), ...flags.to, line };
  requireRoom(sources.length + heredocs.length, to);
  return { keyword, flags, sources, to };
}

/** Where the files really go: a link on the way, or one to a directory, is followed; what is no directory is replaced. */
async function destinationOf(scope: BuildScope, state: StageState, word: string): Promise<Pick<SourceTo, 'destination' | 'isDirectory'>> {
  const wanted = resolveDirectory(state.config.workingDir ?? '/', word);
  const { kind, path } = await scope.placeAt(state, wanted);
  if (kind === 'directory' || /(^|\/)\.?$/.test(word)) return { destination: path, isDirectory: true };
  const at = wanted.lastIndexOf('/');
  const above = await scope.placeAt(state, wanted.slice(0, at));
  return { destination: `/${cleanPath(`${above.path}/${wanted.slice(at + 1)}`)}`, isDirectory: false };
}

function madeMembers({ heredocs }: Instruction, to: SourceTo, { expansion, mtime }: CopyPlace): readonly CopyMember[] {
  return heredocs.map(({ name, expand, content }) =>
    madeFile({
      path: cleanPath(to.isDirectory ? `${to.destination}/${name}` : to.destination),
      text: expand ? expandText(content, expansion) : content,
      owner: to.owner ?? ROOT,
      mode: to.mode ?? 0o644,
      mtime,
    }),
  );
}

function ownMembers(
  scope: BuildScope,
  { keyword, sources, to, flags }: CopyRequest,
): Promise<readonly CopyMember[]> | readonly CopyMember[] {
  if (keyword === 'COPY') return contextMembers(scope, sources, to);
  const { checksum } = flags;
  return addedMembers(scope, sources, { ...to, ...(checksum === undefined || checksum === '' ? {} : { checksum }) });
}

/** Also where nothing is put: the destination of an empty directory is made. */
function pathsOf(members: readonly CopyMember[], { destination, isDirectory }: SourceTo): readonly string[] {
  const paths = members.map(({ path }) => path);
  return isDirectory || members.length === 0 ? [...paths, cleanPath(`${destination}/${INSIDE}`)] : paths;
}

/** Copies of the same files are the same layer, whenever the directories above them were made. */
function newestOf(members: readonly CopyMember[]): number | undefined {
  return members.length === 0 ? undefined : members.reduce((newest, { node }) => Math.max(newest, node.entry.mtime), 0);
}

function filesOf(members: readonly CopyMember[]): StepFiles {
  return members.flatMap(({ path, node }) => (node.entry.type === 'file' ? [[`/${path}`, node.digest] as const] : []));
}
