import type { Launcher, Plan } from '@slipway/launcher';
import { expect, test } from 'vitest';
import { ForeseenBirths } from './foreseen.ts';
import { fakeHost, smallSpec } from './testing/plan-fixtures.ts';

const HOST = fakeHost();
const BUNDLE = { id: 'c1', bundle: '/bundle', rootfs: '/bundle/rootfs', procsFiles: [], cgroupDirs: {}, startsAtOnce: true };

function births() {
  const encoded: Plan[] = [];
  const launcher: Pick<Launcher, 'foresee'> = { foresee: (plan) => void encoded.push(plan) };
  return { encoded, foreseen: new ForeseenBirths(launcher as Launcher) };
}

test('a birth that was foreseen is the one that was encoded, once', () => {
  const { encoded, foreseen } = births();
  const spec = smallSpec();
  foreseen.foresee(spec, HOST, BUNDLE);
  expect(foreseen.plan(spec, HOST, { ...BUNDLE })).toBe(encoded[0]);
  expect(foreseen.plan(spec, HOST, BUNDLE)).not.toBe(encoded[0]);
});

test('with another document or other facts it is planned by those', () => {
  const { encoded, foreseen } = births();
  const spec = smallSpec();
  const lastOf = (...[document, host, bundle]: Parameters<ForeseenBirths['plan']>) => {
    foreseen.foresee(spec, HOST, BUNDLE);
    const birth = foreseen.plan(document, host, bundle);
    expect(birth).not.toBe(encoded.at(-1));
    return birth.operations.map(({ op }) => op);
  };
  expect(lastOf(spec, HOST, { ...BUNDLE, startsAtOnce: false })).toContain('awaitStart');
  expect(lastOf(spec, fakeHost(), BUNDLE)).not.toContain('awaitStart');
  expect(lastOf(smallSpec({ process: { cwd: '/', args: ['/bin/true'], noNewPrivileges: true } }), HOST, BUNDLE)).toContain(
    'noNewPrivileges',
  );
});

test('what cannot be planned is told to whoever asks for it', () => {
  const { encoded, foreseen } = births();
  const spec = smallSpec({ process: { cwd: '/', args: ['/bin/true'], user: { uid: 0, gid: 0 }, selinuxLabel: 'a:b:c:d' } });
  foreseen.foresee(spec, HOST, BUNDLE);
  expect(encoded).toEqual([]);
  expect(() => foreseen.plan(spec, HOST, BUNDLE)).toThrow(/selinux/i);
});

test('of many that never come true the last ones are kept', () => {
  const { encoded, foreseen } = births();
  const specs = Array.from({ length: 40 }, () => smallSpec());
  for (const spec of specs) foreseen.foresee(spec, HOST, BUNDLE);
  const kept = specs.map((spec, index) => foreseen.plan(spec, HOST, BUNDLE) === encoded[index]);
  expect(kept.filter(Boolean)).toHaveLength(32);
  expect(kept.at(-1)).toBe(true);
});
