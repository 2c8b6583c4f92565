/**
 * `spec`: a config.json to start from.
 *
 * Knows: where it goes, and that an existing one is somebody's work.
 * Does not know: what is in it (packages/oci).
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultSpec, formatSpecJson } from '@slipway/oci';
import { type Command, UsageMistake } from './context.ts';

export const spec: Command = async ({ flags }) => {
  const path = join(flags.value('bundle') ?? '.', 'config.json');
  const rootless = flags.has('rootless');
  const own = rootless ? { rootless, hostUid: process.getuid?.() ?? 0, hostGid: process.getgid?.() ?? 0 } : {};
  try {
    await writeFile(path, `${formatSpecJson(defaultSpec(own), '\t')}\n`, { flag: 'wx', mode: 0o666 });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
      throw new UsageMistake('File config.json exists. Remove it first');
    throw error;
  }
  return 0;
};
