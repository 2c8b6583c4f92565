/**
 * `--chown USER[:GROUP]`, looked up in the working container.
 *
 * Knows: the fields of passwd(5) and group(5).
 * Does not know: what is owned.
 */
import { readTar } from '@slipway/layers';
import type { Context } from '../docker/commands/context.ts';
import { UsageError } from '../flags.ts';
import { orMissing, type WorkingContainer } from './working-container.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const ROOT: Owner = { uid: 0, gid: 0 };

/** Root for nothing; a user alone brings its group. @throws UsageError for a name that is not there */
export async function findOwner(context: Context, container: WorkingContainer, text: string | undefined): Promise<Owner> {
  if (text === undefined) return ROOT;
  const [user = '', group] = text.split(':', 2);
  const numbers = isNumber(user) && group !== undefined && isNumber(group);
  if (numbers) return { uid: Number(user), gid: Number(group) };
  const accounts = await readLines(context, container, '/etc/passwd');
  const account = accounts.find(([name, , uid]) => name === user || uid === user);
  if (account === undefined && !isNumber(user)) throw new UsageError(`--chown ${text}: the container has no user ${JSON.stringify(user)}`);
  const uid = Number(account?.[2] ?? user);
  if (group === undefined) return { uid, gid: Number(account?.[3] ?? uid) };
  if (isNumber(group)) return { uid, gid: Number(group) };
  const found = (await readLines(context, container, '/etc/group')).find(([name]) => name === group);
  if (found === undefined) throw new UsageError(`--chown ${text}: the container has no group ${JSON.stringify(group)}`);
  return { uid, gid: Number(found[2]) };
}

function isNumber(text: string): boolean {
  return /^[0-9]{1,10}$/.test(text);
}

/** An unreasonably large file counts as none. */
const MAX_BYTES = 1024 * 1024;

async function readLines({ daemon }: Context, { id }: WorkingContainer, path: string): Promise<readonly (readonly string[])[]> {
  const answer = await orMissing(daemon.stream('GET', `/containers/${id}/archive?path=${encodeURIComponent(path)}`));
  if (answer === undefined) return [];
  let text = '';
  for await (const { entry, content } of readTar(answer as AsyncIterable<Uint8Array>)) {
    if (entry.type !== 'file' || entry.sizeBytes > MAX_BYTES) continue;
    for await (const { bytes } of content) text += Buffer.from(bytes).toString('utf8');
  }
  return text.split('\n').map((line) => line.split(':'));
}
