import { EngineError, hasCode } from '@slipway/errors';
import { expect, test } from 'vitest';
import { explainStartFailure } from './start-failure.ts';

const failure = (op: string, errno: number) => {
  const cause = { index: 9, op, call: 'access', errno };
  return new EngineError('invalid-argument', 'launch failed', { code: 'E_LAUNCH', op: 'container.create', cause });
};

test.each([
  [2, 'foo', 127, 'exec: "foo": executable file not found in $PATH'],
  [2, '/bin/foo', 127, 'exec: "/bin/foo": stat /bin/foo: no such file or directory'],
  [13, '/etc', 126, 'exec: "/etc": permission denied'],
  [21, '/etc', 126, 'exec: "/etc": permission denied'],
])('errno %i for %s counts as exit code %i', (errno, name, exitCode, message) => {
  const explained = explainStartFailure(failure('findExecutable', errno), [name]);
  expect(explained.exitCode).toBe(exitCode);
  expect(explained.error).toMatchObject({ message: expect.stringContaining(message) });
  expect(hasCode(explained.error, 'E_COMMAND')).toBe(true);
});

test('a mount that fails with ENOENT is no missing command', () => {
  const original = failure('mount', 2);
  expect(explainStartFailure(original, ['foo'])).toEqual({ error: original, exitCode: 128 });
});
