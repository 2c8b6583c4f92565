/** What `--version` says where a dialect imitates no particular release. */
import manifest from '../package.json' with { type: 'json' };

export const VERSION: string = manifest.version;
