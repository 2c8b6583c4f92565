/**
 * `build --secret id=NAME[,src=FILE|,env=VARIABLE]`: what steps may mount, and no image keeps.
 *
 * Docker's own client has no way to send them to the classic endpoint; ours sends them in the body, before the context
 * (packages/docker-api/src/build-secrets.ts).
 */
import { readFile } from 'node:fs/promises';
import { UsageError } from '../../flags.ts';

/** As docker has it, for one secret. */
const MAX_BYTES = 500 * 1024;

/** The bytes that go before the context; none where there are no secrets. */
export async function readSecrets(flags: readonly string[], environment: Readonly<Record<string, string | undefined>>): Promise<Buffer> {
  if (flags.length === 0) return Buffer.alloc(0);
  const entries = await Promise.all(flags.map((flag) => readSecret(flag, environment)));
  return Buffer.from(JSON.stringify(Object.fromEntries(entries)));
}

async function readSecret(text: string, environment: Readonly<Record<string, string | undefined>>): Promise<readonly [string, string]> {
  const fields = new Map(text.split(',').map((part) => [part.split('=', 1)[0] ?? '', part.slice(part.indexOf('=') + 1)] as const));
  const unknown = [...fields.keys()].find((name) => !['id', 'src', 'source', 'env', 'type'].includes(name));
  const id = fields.get('id');
  if (unknown !== undefined || id === undefined) throw new UsageError('write --secret id=NAME,src=FILE or --secret id=NAME,env=VARIABLE');
  const file = fields.get('src') ?? fields.get('source');
  const variable = fields.get('env') ?? (fields.get('type') === 'env' ? (file ?? id) : undefined);
  const bytes = variable === undefined ? await readBounded(file ?? id) : Buffer.from(requireVariable(environment, variable));
  return [id, bytes.toString('base64')];
}

function requireVariable(environment: Readonly<Record<string, string | undefined>>, name: string): string {
  const value = environment[name];
  if (value === undefined) throw new UsageError(`the secret's variable ${name} is not set`);
  return value;
}

async function readBounded(path: string): Promise<Buffer> {
  const bytes = await readFile(path);
  if (bytes.byteLength > MAX_BYTES) throw new UsageError(`the secret ${path} is larger than ${MAX_BYTES} bytes`);
  return bytes;
}
