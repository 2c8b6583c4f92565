/**
 * Passwords in a file of Apache's `htpasswd -B`: one `user:$2y$…` a line.
 *
 * Knows: bcrypt's lines, and how to check a password without letting strangers keep the processor busy.
 * Does not know: where the file is.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { EngineError } from '@slipway/errors';
import type { CheckPassword } from './access.ts';
import { refuse } from './registry-failure.ts';

const BCRYPT = /^\$2[aby]\$(0[4-9]|1[0-7])\$[./A-Za-z0-9]{53}$/;
/** bcrypt looks at no more; a longer password would be as good as its beginning. */
const MAX_PASSWORD_BYTES = 72;
/** Each check takes a good part of a second of processor time. */
const MAX_WAITING = 32;

/**
 * @throws EngineError `invalid-argument` / `E_HTPASSWD` naming the line
 */
export async function readHtpasswd(text: string): Promise<CheckPassword> {
  const users = parseUsers(text);
  const { compare, hash } = await import('bcryptjs');
  // Unknown users take as long as known ones.
  const nobody = await hash(randomBytes(16).toString('hex'), 10);
  const key = randomBytes(32);
  const digestOf = (password: string) => createHmac('sha256', key).update(password).digest();
  /** Once bcrypt has agreed: clients log in with every request. */
  const proven = new Map<string, Buffer>();
  let turn: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  const checkSlowly = async (user: string, password: string): Promise<boolean> => {
    if (waiting >= MAX_WAITING) throw refuse('unavailable', 'E_LOGINS_TOO_MANY', 'too many passwords wait to be checked');
    waiting++;
    const mine = turn.then(() => compare(password, users.get(user) ?? nobody));
    turn = mine.catch(() => undefined);
    const isRight = await mine.finally(() => waiting--);
    return isRight && users.has(user);
  };

  return async (user, password) => {
    if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) return false;
    const known = proven.get(user);
    if (known !== undefined && timingSafeEqual(known, digestOf(password))) return true;
    if (!(await checkSlowly(user, password))) return false;
    proven.set(user, digestOf(password));
    return true;
  };
}

function parseUsers(text: string): ReadonlyMap<string, string> {
  const users = new Map<string, string>();
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, user, hashed] = /^([^:\0]{1,255}):(\S+)\s*$/.exec(line) ?? [];
    if (user === undefined || hashed === undefined || !BCRYPT.test(hashed)) throw badLine(at + 1);
    users.set(user, hashed);
  }
  return users;
}

function badLine(line: number): EngineError {
  return new EngineError('invalid-argument', `line ${line} of the password file is not a user with a bcrypt hash`, {
    code: 'E_HTPASSWD',
    op: 'registry.readHtpasswd',
    subject: String(line),
    hint: 'Write it with `htpasswd -B`.',
  });
}
