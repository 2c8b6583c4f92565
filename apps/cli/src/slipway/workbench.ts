/** `slipway workbench`: the agent that labd starts inside a lab machine; speaks lines of JSON on its streams until they end. */
import { UsageError } from '../flags.ts';
import { Agent } from '../workbench/agent.ts';
import { performTerminalRun } from '../workbench/terminal-runs.ts';
import type { Command } from './command.ts';

/** `workbench terminal NUMBER`: a run that the agent has prepared, in the terminal that we are started in. */
export const workbench: Command = async ([word, number], out) => {
  if (word === 'terminal' && /^\d{1,10}$/.test(number ?? '')) return await performTerminalRun(Number(number));
  if (word !== undefined) throw new UsageError(`workbench takes nothing, or terminal NUMBER, not ${JSON.stringify(word)}`);
  await new Agent(out).serve(process.stdin);
  return 0;
};
