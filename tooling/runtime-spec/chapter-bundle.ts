/** Normative statements of the runtime specification's bundle.md. @see statements.ts */
import type { Chapter } from './statements.ts';

export const BUNDLE: Chapter = {
  document: 'bundle.md',
  statements: {
    'container-format/config-file': { must: 'a bundle directory holds its configuration under the name config.json, at its top' },
    'container-format/root-directory': { must: 'the root directory that a document names is there' },
    'container-format/siblings': {
      should: 'root directory and config.json lie in one directory',
      author: 'a root elsewhere is allowed; engines of today always have it elsewhere',
    },
  },
};
