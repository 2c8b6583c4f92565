/** `slipway workbench`: the agent that labd starts inside a lab machine; speaks lines of JSON on its streams until they end. */
import { Agent } from '../workbench/agent.ts';
import type { Command } from './command.ts';

export const workbench: Command = async (_args, out) => {
  await new Agent(out).serve(process.stdin);
  return 0;
};
