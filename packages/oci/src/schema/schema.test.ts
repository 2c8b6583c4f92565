import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultSpec } from '../default-spec.ts';
import { DOCKER_DEFAULTS } from '../docker-defaults.ts';
import { planSeccompProfile } from '../seccomp-profile.ts';
import { fields, samples, sampleValue, withValue } from '../testing/schema-corpus.ts';
import { findSpecIssues } from '../validate-spec.ts';
import { CONFIG_SCHEMA } from './config-schema.ts';

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictRequired: false, strictTypes: false });
ajv.addKeyword('patternErrorMessage');
const judge = ajv.compile(CONFIG_SCHEMA);

/** Where the schema sees a fault; pointers as the validator writes them. */
function schemaFaults(document: unknown): string[] {
  return judge(document) ? [] : (judge.errors ?? []).map(({ instancePath }) => instancePath);
}

/** What no schema of single fields can say; everything else both must say. */
const BETWEEN_FIELDS: readonly RegExp[] = [
  / needs an? \w+ namespace/,
  / is missing, and a new user namespace has no ids/,
  / is asked for twice$| is set twice$/,
  / overlaps the range at | runs past the last id$/,
  / is missing, and a bind mount needs one$| is not a bind mount, and only those/,
  / only; an id-mapped mount needs /,
  / holds more than one propagation type$/,
  / has no meaning with SCMP_/,
  / is missing, and SCMP_ACT_NOTIFY needs an agent/,
  / above the quota of | needs a weight or a leafWeight$| needs hcaHandles or hcaObjects$| needs a listenerPath beside it$/,
  / above the (hard )?limit of | below the memory limit of | it needs a memory limit beside it$/,
  / is not namespaced: | is set beside \/hostname/,
  / is longer than 64 bytes$| has a name longer than 255 bytes$/, // bytes, where a schema counts characters
];

const isBetweenFields = (text: string) => BETWEEN_FIELDS.some((rule) => rule.test(text));

/** A sound document in which every field of the specification has a value. */
function fullDocument(): unknown {
  let document = sampleValue(CONFIG_SCHEMA);
  const types = ['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time'];
  const changes: readonly [string, unknown][] = [
    ['/linux/namespaces', types.map((type) => ({ type }))],
    ['/mounts/0', { destination: '/data', type: 'bind', source: '/srv', options: ['ro'], uidMappings: MAP, gidMappings: MAP }],
    ['/linux/uidMappings', MAP],
    ['/linux/gidMappings', MAP],
    ['/linux/resources/memory/swap', 2 ** 30],
    // Whatever the errno, whatever the device's numbers: these two put no condition on their neighbours.
    ['/linux/seccomp/defaultAction', 'SCMP_ACT_TRACE'],
    ['/linux/seccomp/syscalls/0/action', 'SCMP_ACT_TRACE'],
    ['/linux/devices/0/type', 'p'],
  ];
  for (const [pointer, value] of changes) document = withValue(document, pointer, value);
  return document;
}

const MAP = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
const FULL = fullDocument();
const FIELDS = fields(CONFIG_SCHEMA);
const SAMPLES = FIELDS.flatMap(({ pointer, node }) => samples(pointer, node));

function disagreement(document: unknown): string | undefined {
  const faults = schemaFaults(document);
  const issues = findSpecIssues(document).map(({ path, message }) => `${path} ${message}`);
  if (faults.length > 0 && issues.length === 0) return `the schema alone refuses ${faults.join(', ')}`;
  const plain = issues.filter((issue) => !isBetweenFields(issue));
  return faults.length === 0 && plain.length > 0 ? `the validator alone says: ${plain.join('; ')}` : undefined;
}

test('the schema is one: it satisfies the meta-schema of draft 2020-12', () => {
  expect(ajv.validateSchema(CONFIG_SCHEMA)).toBe(true);
});

test('every field says what it does, in a sentence', () => {
  expect(FIELDS.length).toBeGreaterThan(230);
  expect(FIELDS.filter(({ node }) => !/^[A-Z0-9a-z].{5,}[.)]$/s.test(node.description ?? '')).map(({ pointer }) => pointer)).toEqual([]);
});

test('documents as they are written today please both', () => {
  const { capabilities: names, mounts, deviceRules } = DOCKER_DEFAULTS;
  const engine = {
    ...defaultSpec(),
    mounts,
    linux: { ...defaultSpec().linux, resources: { devices: deviceRules }, seccomp: planSeccompProfile(names) },
  };
  for (const document of [defaultSpec(), defaultSpec({ rootless: true }), engine, FULL]) {
    expect(schemaFaults(document)).toEqual([]);
    expect(findSpecIssues(document)).toEqual([]);
  }
});

describe('schema and validator agree', () => {
  test('about every field, for every value its keywords allow or refuse', () => {
    const found = SAMPLES.flatMap(({ pointer, value, good }) => {
      const document = withValue(FULL, pointer, value);
      const verdict = disagreement(document);
      const asMade =
        (schemaFaults(document).length === 0) === good
          ? []
          : [`the corpus is wrong about ${pointer} ${JSON.stringify(value)?.slice(0, 60)}`];
      return [...asMade, ...(verdict ? [`${pointer} = ${JSON.stringify(value)?.slice(0, 60)}: ${verdict}`] : [])];
    });
    expect(SAMPLES.filter(({ good }) => !good).length).toBeGreaterThan(1000);
    expect(found).toEqual([]);
  });

  test('about the place: what the schema refuses somewhere, the validator names there or just above', () => {
    const astray = SAMPLES.filter(({ good }) => !good).flatMap(({ pointer, value }) => {
      const paths = findSpecIssues(withValue(FULL, pointer, value)).map(({ path }) => path);
      const near = paths.some((path) => path.startsWith(pointer) || pointer.startsWith(path));
      return near ? [] : [`${pointer} = ${JSON.stringify(value)?.slice(0, 60)}: ${paths.join(', ')}`];
    });
    expect(astray).toEqual([]);
  });

  test('about documents with several changes at once', () => {
    const change = fc.constantFrom(...SAMPLES);
    fc.assert(
      fc.property(fc.array(change, { minLength: 2, maxLength: 5 }), (changes) => {
        let document = FULL;
        for (const { pointer, value } of changes) {
          try {
            document = withValue(document, pointer, value);
          } catch {
            // An earlier change took the parent away.
          }
        }
        expect(disagreement(document)).toBeUndefined();
      }),
      { numRuns: 400 },
    );
  });
});
