export {
  applyChanges,
  applyToConfig,
  DEFAULT_SHELL,
  environmentOf,
  isConfigInstruction,
  resolveDirectory,
} from './apply-config.ts';
export { readJsonList, readWords, requireFlags } from './arguments.ts';
export { dockerfileError } from './failure.ts';
export { anything, exactly, type GlobPiece, matchesGlob } from './glob.ts';
export { type Dockerfile, type Heredoc, type Instruction, MAX_DOCKERFILE_BYTES, parseDockerfile, parseInstruction } from './parse.ts';
export { planStages, type Stage } from './stages.ts';
export { type Expansion, expandText, expandWord, splitWords } from './words.ts';
