/** `slipway build`: the docker dialect's command by a name of its own, for machines whose `docker` is another one. */
import { main } from '../docker/main.ts';
import type { Command } from './command.ts';

export const build: Command = (args, _out, { environment, startedMs }) => main({ args: ['build', ...args], environment, startedMs });
