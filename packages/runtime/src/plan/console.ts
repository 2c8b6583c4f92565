/**
 * The terminal of a process.
 *
 * Knows: when there is one and how large it starts.
 * Does not know: who holds its other end (Supervision).
 */
import type { SpecProcess } from '@slipway/oci';
import type { Draft } from './draft.ts';

/**
 * In a new container the launcher also binds it on /dev/console.
 * @param measured of the terminal that this one is shown on; it counts before the document's, which was written elsewhere
 * @spec runtime-spec/config.md#process/terminal, runtime-spec/config.md#process/console-size-ignored
 * @spec runtime-spec/config-linux.md#default-devices/console
 */
export function planConsole(draft: Draft, process: SpecProcess | undefined, measured?: SpecProcess['consoleSize']): void {
  if (process?.terminal !== true) return;
  const { height = 0, width = 0 } = measured ?? process.consoleSize ?? {};
  draft.add(
    'devices',
    { pointer: '/process/terminal', reason: 'a pty of the container’s own devpts, never one of the host' },
    { op: 'console', rows: height, columns: width },
  );
}
