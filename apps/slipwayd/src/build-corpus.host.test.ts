import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { BuildComparison } from './testing/build-comparison.ts';
import { CORPUS } from './testing/dockerfile-corpus.ts';

/** The short ones; `npm run builds` has all of them. */
describe('a Dockerfile makes what Debian’s buildah makes of it', () => {
  let comparison: BuildComparison;
  beforeAll(async () => {
    comparison = await BuildComparison.start();
  }, 60_000);
  afterAll(() => comparison?.[Symbol.asyncDispose](), 60_000);

  for (const each of CORPUS.filter(({ isShort }) => isShort === true)) {
    const compare = async () => {
      const differences = await comparison.compare(each);
      const unexplained = differences.filter(({ what }) => each.differs?.[what] === undefined);
      expect(unexplained).toEqual([]);
      expect(differences.map(({ what }) => what)).toEqual(Object.keys(each.differs ?? {}).sort());
    };
    // Two builds and a dozen programs each, which takes two seconds on a machine that does nothing else.
    hostTest(each.name, ['root', 'linux', 'overlayfs'], compare, 240_000);
  }
});
