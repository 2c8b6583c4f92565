/**
 * Makes a payload fit to be shown: secrets out, size bounded.
 *
 * Knows: which names usually carry secrets (environment variables, flags, JSON keys, headers), and credentials in URLs.
 * Does not know: what a payload means. A secret under an innocent name is not recognised.
 */

/** What stands in place of a secret. */
export const REDACTED = '[redacted]';

/** Upper bound of a span's request or response, in UTF-16 code units. */
export const PAYLOAD_LIMIT = 8192;

const SECRET_VARIABLE = /PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|KEY|CREDENTIAL/i;
/** Narrower than variables: many harmless JSON fields are called `key`. */
const SECRET_FIELD = /password|passwd|passphrase|secret|token|credential|authorization|cookie|registry-?auth|[_-]key$|[a-z]Key$|apikey/i;
const ASSIGNMENT = /^(-{0,2}[\w.-]{1,128})=(.+)$/s;
const FLAG = /^--?[\w.-]{1,128}$/;
const URL_USERINFO = /([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@]{1,512}@/gi;
const HEADER_LINE = /^([ \t]*(?:proxy-)?(?:authorization|x-registry-auth|x-registry-config|cookie|set-cookie)[ \t]*:).*$/gim;
const WORD_ASSIGNMENT =
  /(^|[\s'"])(-{0,2}[\w.-]{0,64}(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|KEY|CREDENTIAL)[\w.-]{0,64}=)("[^"]*"|'[^']*'|\S+)/gi;
/** For JSON that cannot be parsed whole, because it was cut or stands inside other text. */
const JSON_FIELD =
  /("[\w.-]{0,64}(?:password|passwd|passphrase|secret|token|credential|authorization|[_-]key|apikey)"\s{0,4}:\s{0,4})"(?:[^"\\]|\\.)*(?:"|$)/gi;
const MAX_DEPTH = 24;
/** Longer text is cut before it is searched for secrets, so that redaction costs the same for any payload. */
const SEARCH_LIMIT = 65_536;

/** A copy of `value` without secrets: fields and headers by name, `NAME=value` strings, values after secret flags, URL credentials. */
export function redactValue(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactWord(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return REDACTED;
  if (Array.isArray(value)) return redactList(value, depth);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, redactField(name, item, depth)]));
}

/** As {@link redactValue}, for free text: command lines, header blocks, log lines. */
export function redactText(text: string): string {
  return text
    .replace(HEADER_LINE, `$1 ${REDACTED}`)
    .replace(JSON_FIELD, `$1"${REDACTED}"`)
    .replace(WORD_ASSIGNMENT, `$1$2${REDACTED}`)
    .replace(URL_USERINFO, `$1${REDACTED}@`);
}

/**
 * What a span may show of a payload: redacted, then cut to {@link PAYLOAD_LIMIT}. Strings that hold JSON are redacted as JSON.
 * Undefined for an absent or empty payload.
 */
export function showPayload(payload: unknown, limit = PAYLOAD_LIMIT): string | undefined {
  if (payload === undefined || payload === null || payload === '') return undefined;
  const text = typeof payload === 'string' ? redactTextOrJson(payload) : stringify(redactValue(payload));
  return text === '' ? undefined : boundText(text, limit);
}

/** Cuts `text` to `limit` code units, saying how much is missing; never splits a surrogate pair. */
export function boundText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const note = ` … (${text.length} characters)`;
  const room = Math.max(0, limit - note.length);
  const end = /[\uD800-\uDBFF]/.test(text.charAt(room - 1)) ? room - 1 : room;
  return (text.slice(0, end) + note).slice(0, limit);
}

function redactTextOrJson(text: string): string {
  if (text.length > SEARCH_LIMIT) return redactText(text.slice(0, SEARCH_LIMIT));
  if (!/^\s*[[{]/.test(text)) return redactText(text);
  try {
    return stringify(redactValue(JSON.parse(text)));
  } catch {
    return redactText(text); // not JSON after all
  }
}

function stringify(value: unknown): string {
  try {
    return JSON.stringify(value, (_name, item: unknown) => (typeof item === 'bigint' ? String(item) : item)) ?? '';
  } catch {
    return '(a value that cannot be written as JSON)'; // cycles
  }
}

function redactField(name: string, item: unknown, depth: number): unknown {
  const plain = item === null || item === undefined || item === '' || typeof item === 'boolean';
  return SECRET_FIELD.test(name) && !plain ? REDACTED : redactValue(item, depth + 1);
}

function redactList(items: readonly unknown[], depth: number): unknown[] {
  return items.map((item, index) => {
    const before = items[index - 1];
    const follows = typeof before === 'string' && FLAG.test(before) && SECRET_VARIABLE.test(before);
    return follows && typeof item === 'string' ? REDACTED : redactValue(item, depth + 1);
  });
}

function redactWord(text: string): string {
  const [, name = '', value] = ASSIGNMENT.exec(text) ?? [];
  if (value !== undefined && SECRET_VARIABLE.test(name)) return `${name}=${REDACTED}`;
  return redactText(text);
}
