import { expect, test } from 'vitest';
import { boundText, REDACTED, redactText, redactValue, showPayload } from './redact.ts';

test('secrets are found by variable name, field name, header name, flag and URL', () => {
  const payload = {
    Env: ['PATH=/bin', 'MYSQL_PASSWORD=hunter2', 'API_KEY=abc', 'GITHUB_TOKEN=t'],
    Cmd: ['login', '--password', 'hunter2', '--token=abc', 'user'],
    headers: { authorization: 'Bearer x', 'X-Registry-Auth': 'eyJ', accept: '*/*' },
    key: 'snapshot-3',
    privateKey: 'p',
    remote: 'https://me:hunter2@registry.example/v2/',
    Password: '',
    hasToken: true,
  };
  expect(redactValue(payload)).toEqual({
    Env: ['PATH=/bin', `MYSQL_PASSWORD=${REDACTED}`, `API_KEY=${REDACTED}`, `GITHUB_TOKEN=${REDACTED}`],
    Cmd: ['login', '--password', REDACTED, `--token=${REDACTED}`, 'user'],
    headers: { authorization: REDACTED, 'X-Registry-Auth': REDACTED, accept: '*/*' },
    key: 'snapshot-3',
    privateKey: REDACTED,
    remote: `https://${REDACTED}@registry.example/v2/`,
    Password: '',
    hasToken: true,
  });
});

test.each([
  ['docker run -e DB_PASSWORD=s3cret -e A=b busybox', `docker run -e DB_PASSWORD=${REDACTED} -e A=b busybox`],
  [
    'GET / HTTP/1.1\r\nAuthorization: Basic abc\r\nHost: x',
    `GET / HTTP/1.1\r\nAuthorization: ${REDACTED}\r\nHost: x`.replace(`${REDACTED}\r`, REDACTED),
  ],
  ['cut {"a":1,"token":"ab\\"c","b":', `cut {"a":1,"token":"${REDACTED}","b":`],
])('free text: %j', (text, shown) => {
  expect(redactText(text).replaceAll('\r', '')).toBe(shown.replaceAll('\r', ''));
});

test('a payload is redacted as JSON when it is JSON, and always bounded', () => {
  expect(showPayload('{"Password":"x","n":1}')).toBe(`{"Password":"${REDACTED}","n":1}`);
  expect(showPayload({ n: 2n })).toBe('{"n":"2"}');
  expect(showPayload('')).toBeUndefined();
  expect(showPayload('x'.repeat(100_000))).toHaveLength(8192);
  expect(showPayload(`{"token":"${'s'.repeat(90_000)}"}`)).not.toContain('sss'.repeat(3000));
});

test('a hostile payload costs little time', () => {
  const started = performance.now();
  showPayload('KEY'.repeat(400_000));
  showPayload(`${'a-'.repeat(400_000)}=`);
  showPayload('["--key",'.repeat(100_000));
  expect(performance.now() - started).toBeLessThan(1000);
});

test('cutting never splits a surrogate pair and says what is missing', () => {
  const cut = boundText('😀'.repeat(100), 40);
  expect(cut.length).toBeLessThanOrEqual(40);
  expect(cut).toMatch(/^(😀)+ … \(200 characters\)$/u);
});
