import { defaultSpec, formatSpecJson } from '@slipway/oci';
import { CONFIG_SCHEMA } from '@slipway/oci/schema';
import { expect, test } from 'vitest';
import { fields, samples, sampleValue, withValue } from '../../../../../packages/oci/src/testing/schema-corpus.ts';
import { openSchemaService } from './schema-service.ts';

const service = openSchemaService(CONFIG_SCHEMA);
const SOUND = formatSpecJson(defaultSpec(), '  ');
const faultsOf = async (text: string) =>
  (await service.faults(text)).map(({ pointer, message, severity }) => `${severity} ${pointer} ${message}`);

test('a fresh document has no fault, with comments neither', async () => {
  expect(await faultsOf(SOUND)).toEqual([]);
  expect(await faultsOf(SOUND.replace('{', '{ // mine'))).toEqual([]);
});

test('every fault has its place and plain words', async () => {
  const text = SOUND.replace('"cwd": "/"', '"cwd": "tmp"')
    .replace('"hostname": "runc"', '"hostname": 7, "hostnmae": ""')
    .replace('"pid"', '"air"');
  expect(await faultsOf(text)).toEqual([
    'error /process/cwd is not an absolute path',
    'error /hostname has the wrong type, needs to be string',
    expect.stringMatching(/^error \/linux\/namespaces\/0\/type is not known; known are "pid", "network"/),
    'note /hostnmae the specification names no such field; runtimes pass over it',
  ]);
});

test('a missing field is a fault of the object that lacks it', async () => {
  expect(await faultsOf('{ "ociVersion": "1.2.0", "root": {} }')).toEqual(['error /root lacks "path"']);
});

test('the page sees a fault wherever the schema was proven to have one', async () => {
  const full = sampleValue(CONFIG_SCHEMA);
  const bad = fields(CONFIG_SCHEMA)
    .flatMap(({ pointer, node }) => samples(pointer, node).filter(({ good }) => !good))
    .filter((_sample, index) => index % 7 === 0);
  const unseen: string[] = [];
  for (const { pointer, value } of bad) {
    const errors = (await service.faults(JSON.stringify(withValue(full, pointer, value)))).filter(({ severity }) => severity === 'error');
    if (!errors.some((fault) => fault.pointer.startsWith(pointer) || pointer.startsWith(fault.pointer))) unseen.push(pointer);
  }
  expect(bad.length).toBeGreaterThan(150);
  expect(unseen).toEqual([]);
});

test('keys and words are proposed with what they do', async () => {
  const at = (text: string) => service.propose(text.replace('|', ''), text.indexOf('|'));
  const keys = await at('{ "process": { | } }');
  expect(keys.find(({ label }) => label === 'oomScoreAdj')?.description).toContain('/proc/PID/oom_score_adj');
  expect((await at('{ "linux": { "namespaces": [{ "type": "|" }] } }')).map(({ label }) => label)).toContain('"time"');
  expect((await at('{ "process": { "terminal": | } }')).map(({ label }) => label)).toEqual(['false', 'true']);
});

test('hovering a field tells what it does in the kernel', () => {
  const found = service.describe(SOUND, SOUND.indexOf('"noNewPrivileges"') + 3);
  expect(found?.pointer).toBe('/process/noNewPrivileges');
  expect(found?.field.description).toContain('prctl(PR_SET_NO_NEW_PRIVS)');
});
