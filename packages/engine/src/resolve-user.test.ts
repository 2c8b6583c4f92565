import { hasCode } from '@slipway/errors';
import { expect, test } from 'vitest';
import { resolveUser } from './resolve-user.ts';

const files = {
  passwd:
    'root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n# comment\nbroken:x:abc:1::/:/bin/sh\nwrap:x:4294967296:0::/:/bin/sh\n',
  group: 'root:x:0:\napp:x:1001:\nextra:x:2000:app,other\nmore:x:2001:app\n',
};

test.each([
  ['', { uid: 0, gid: 0, additionalGids: [0], home: '/root' }],
  ['app', { uid: 1000, gid: 1001, additionalGids: [1001, 2000, 2001], home: '/home/app' }],
  ['1000', { uid: 1000, gid: 1001, additionalGids: [1001, 2000, 2001], home: '/home/app' }],
  ['app:extra', { uid: 1000, gid: 2000, additionalGids: [2000], home: '/home/app' }],
  ['5000', { uid: 5000, gid: 0, additionalGids: [0], home: '/' }],
  ['5000:6000', { uid: 5000, gid: 6000, additionalGids: [6000], home: '/' }],
])('%j', (user, expected) => {
  expect(resolveUser(user, files)).toEqual(expected);
});

test('groups can be added by name and number', () => {
  expect(resolveUser('app:app', files, ['extra', '77']).additionalGids).toEqual([1001, 2000, 77]);
  expect(() => resolveUser('app', files, ['audio'])).toThrow('unable to find group audio: no matching entries in group file');
});

// Each of these has once become root, or a number the kernel wrapped round, in some engine.
test.each([
  'nobody-here',
  '-1',
  '4294967295',
  '4294967296',
  '99999999999',
  '0x0',
  '1e3',
  ' 0',
  'a:b:c',
  'app:nogroup',
  '1000:4294967296',
  'broken',
  'wrap',
])('user %j is refused and never root', (user) => {
  expect(() => resolveUser(user, files)).toThrow(expect.toSatisfy((error) => hasCode(error, 'E_USER_UNKNOWN')));
});
