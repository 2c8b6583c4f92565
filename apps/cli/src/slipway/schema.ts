/** `slipway schema`: the JSON schema of a config.json, for editors that complete and explain its fields. */
import { CONFIG_SCHEMA } from '@slipway/oci/schema';
import type { Command } from './command.ts';

export const printSchema: Command = async (_args, out) => {
  out(`${JSON.stringify(CONFIG_SCHEMA, undefined, 2)}\n`);
  return 0;
};
