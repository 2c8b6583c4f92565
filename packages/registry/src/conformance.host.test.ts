/**
 * The distribution spec, held against our registry and against Debian's docker-registry.
 *
 * The other one is there to show that these are the spec's statements and not our habits; where it differs, differences.ts says why.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DOCKER_REGISTRY_DIFFERENCES } from './testing/differences.ts';
import { DISCOVERY } from './testing/discovery.ts';
import { type DockerRegistry, hasDockerRegistry, startDockerRegistry } from './testing/docker-registry.ts';
import { MANAGEMENT } from './testing/management.ts';
import { PULL } from './testing/pull.ts';
import { PUSH } from './testing/push.ts';
import { describeStatements, type RegistryUnderTest } from './testing/suite.ts';
import { startRegistry, type TestRegistry } from './testing/test-registry.ts';

const CATEGORIES = { pull: PULL, push: PUSH, 'content discovery': DISCOVERY, 'content management': MANAGEMENT };

function describeAll(registry: RegistryUnderTest): void {
  for (const [category, statements] of Object.entries(CATEGORIES)) describeStatements(category, statements, registry);
}

describe('our registry [distribution-spec]', () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(async () => {
    expect(registry.internalErrors).toEqual([]);
    await registry.close();
  });

  describeAll({ origin: () => registry.origin, differences: {} });
});

describe.skipIf(!hasDockerRegistry() && !process.env['REQUIRE_HOST'])('docker-registry, for comparison', () => {
  let registry: DockerRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry();
  });
  afterAll(() => registry?.close());

  describeAll({ origin: () => registry.origin, differences: DOCKER_REGISTRY_DIFFERENCES });
});

test('every difference names a statement', () => {
  const titles = new Set(Object.values(CATEGORIES).flatMap((statements) => statements.map(({ title }) => title)));
  expect(titles.size).toBe(Object.values(CATEGORIES).flat().length);
  expect(Object.keys(DOCKER_REGISTRY_DIFFERENCES).filter((title) => !titles.has(title))).toEqual([]);
});
