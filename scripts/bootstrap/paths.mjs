/** Where set-up keeps things: all of it below the checkout, so that deleting the checkout deletes everything. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** Git-ignored: stamps, logs, images, the tools tree. */
export const STATE_DIR = `${ROOT}/.slipway`;
