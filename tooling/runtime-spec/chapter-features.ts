/** Normative statements of the runtime specification's features.md and features-linux.md. @see statements.ts */
import type { Chapter } from './statements.ts';

const core: Chapter = {
  document: 'features.md',
  statements: {
    'features-document/constant': { should: 'the document says what the runtime can do, whatever this host can' },
    'features-document/null': { must: 'null is not used for an empty list or false' },
    'specification-version/min': { must: 'there is a lowest version, and documents of it are accepted' },
    'specification-version/max': { must: 'there is a highest version, and documents of it are accepted' },
    'specification-version/ordered': { must: 'the highest is not below the lowest' },
    'specification-version/no-others': { must: 'there is no property that this version does not define' },
    'hooks/supported': { must: 'the hooks that are listed work' },
    'mount-options/recognised': { must: 'the mount options that are listed are acted upon' },
    'mount-options/no-data': { should: 'options that belong to one file system are not listed' },
  },
};

const linux: Chapter = {
  document: 'features-linux.md',
  statements: {
    'namespaces/recognised': { must: 'the namespaces that are listed can be asked for' },
    'capabilities/recognised': { must: 'the capabilities that are listed can be asked for' },
    'seccomp/recognised': { must: 'actions, operators and architectures that are listed can be asked for' },
    'seccomp/flags': { must: 'the flags that are listed as supported work' },
    'memorypolicy/recognised': { must: 'modes and flags that are listed can be asked for' },
    'mountextensions/idmap': { must: 'id-mapped mounts are announced where mappings are read' },
    'netdevices/enabled': { must: 'network devices are announced only where they work' },
  },
};

export const FEATURES = { core, linux } as const;
