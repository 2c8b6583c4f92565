/**
 * All Dockerfiles that our engine and Debian's buildah are compared by.
 *
 * Knows: where they are.
 * Does not know: how anything is built or compared (build-comparison.ts).
 */
import type { DockerfileCase } from './dockerfile-case.ts';
import { DOCKERFILES_OF_FILES } from './dockerfiles-of-files.ts';
import { DOCKERFILES_OF_WORDS } from './dockerfiles-of-words.ts';

export const CORPUS: readonly DockerfileCase[] = [...DOCKERFILES_OF_WORDS, ...DOCKERFILES_OF_FILES];
