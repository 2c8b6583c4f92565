import { findSpecIssues } from '@slipway/oci';
import { expect, test } from 'vitest';
import { draftSpec } from './draft-spec.ts';
import { PLAIN_HOST, request } from './testing/requests.ts';

const image = { exposedPorts: [], env: ['FROM=image'], cmd: ['sh'], volumes: [], labels: {} };
const accounts = { passwd: 'web:x:1000:1001::/srv:/bin/sh\n', group: '' };
const draft = (changes: object) => draftSpec(request(changes), { image, accounts });

test('a draft is a sound document, the same every time, with the image’s program and the request’s limits', () => {
  const spec = draft({ host: { ...PLAIN_HOST, resources: { memoryBytes: 67_108_864 } }, command: [] });
  expect(findSpecIssues(spec)).toEqual([]);
  expect(spec).toEqual(draft({ host: { ...PLAIN_HOST, resources: { memoryBytes: 67_108_864 } }, command: [] }));
  expect([spec.process?.args, spec.linux?.resources?.memory?.limit, spec.root?.path]).toEqual([['sh'], 67_108_864, 'rootfs']);
  expect(spec.process?.env).toContain('FROM=image');
});

test('a user’s name is looked up in the image’s files, and refused where it is not', () => {
  expect(draft({ user: 'web' }).process?.user).toMatchObject({ uid: 1000, gid: 1001 });
  expect(() => draft({ user: 'nobody' })).toThrow(expect.objectContaining({ code: 'E_USER_UNKNOWN' }));
});
