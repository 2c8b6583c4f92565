/** `buildah build`: a Dockerfile, or a Containerfile, by the engine's builder. */
import { existsSync } from 'node:fs';
import { build as dockerBuild } from '../docker/commands/build.ts';
import type { Command } from '../docker/commands/context.ts';

/** The same flags as docker's; the context may be left out, and a Containerfile stands for a Dockerfile. */
export const build: Command = async (context) => {
  const last = context.args.at(-1);
  const place = last !== undefined && (last === '-' || existsSync(last)) && !isValue(context.args.at(-2)) ? last : undefined;
  const args = place === undefined ? [...context.args, '.'] : context.args;
  const directory = place ?? '.';
  const named = args.some((arg) => /^(-f|--file)/.test(arg));
  const file = `${directory}/Containerfile`;
  return await dockerBuild({ ...context, args: named || directory === '-' || !existsSync(file) ? args : ['-f', file, ...args] });
};

/** A flag whose value the next word is. */
function isValue(flag: string | undefined): boolean {
  return (
    flag !== undefined &&
    /^(-[tfmo]|--(add-host|build-arg|file|label|memory|network|output|platform|secret|shm-size|tag|target))$/.test(flag)
  );
}
