/** `slipway doctor`: one line per thing the engine wants of a host; exit code 1 when containers cannot run at all. */
import { detectHostFeatures } from '@slipway/kernel';
import type { Command } from './command.ts';

export const doctor: Command = async (_args, out) => {
  const { kernelRelease, features } = detectHostFeatures();
  out(`kernel ${kernelRelease}\n`);
  for (const { name, available, found, why, remedy } of features) {
    out(`${available ? '✓' : '✗'} ${name}: ${found}${available ? '' : `; ${why}${remedy === undefined ? '' : `; ${remedy}`}`}\n`);
  }
  return features.some(({ available, needed }) => !available && needed === 'containers') ? 1 : 0;
};
