/**
 * Who holds a process's streams: ourselves, whoever called us, or a console socket.
 *
 * Knows: which combination of --detach, terminal and --console-socket is possible.
 * Does not know: how bytes are relayed (terminal.ts).
 */
import { resolve } from 'node:path';
import type { Supervision } from '@slipway/launcher';
import type { ParsedFlags } from '../flags.ts';
import { UsageMistake } from './context.ts';

/** `relay`: a terminal that we hold ourselves for as long as the process lives. */
export type Streams = { readonly kind: 'handed-on'; readonly supervision: Supervision } | { readonly kind: 'relay' };

export function chooseStreams(flags: ParsedFlags, { terminal, stays }: { readonly terminal: boolean; readonly stays: boolean }): Streams {
  const socket = flags.value('console-socket') ?? '';
  if (socket !== '' && (stays || !terminal)) throw new UsageMistake('cannot use console socket if runc will not detach or allocate tty');
  if (terminal && stays) return { kind: 'relay' };
  if (terminal && socket === '') throw new UsageMistake('cannot allocate tty if runc will detach without setting console socket');
  return {
    kind: 'handed-on',
    supervision: {
      mode: stays ? 'foreground' : 'detached',
      stdio: [0, 1, 2],
      preserveFds: preservedFds(flags),
      ...(socket === '' ? {} : { consoleSocket: resolve(socket) }),
    },
  };
}

function preservedFds(flags: ParsedFlags): number {
  const text = flags.value('preserve-fds') ?? '0';
  if (/^[0-9]{1,3}$/.test(text)) return Number(text);
  throw new UsageMistake(`invalid value "${text}" for --preserve-fds`);
}
