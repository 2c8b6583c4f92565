/**
 * Pushes to and pulls from a registry behind TLS, on an address that is not a loopback one; to be run in a network namespace of its own:
 * `node tls-subject.ts DIRECTORY REGISTRY-PROGRAM`. Prints what each way of checking certificates came to, as one line of JSON.
 *
 * Knows: the certificates that the test has made in DIRECTORY.
 * Does not know: what should come out.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { findEngineError } from '@slipway/errors';
import { openImageStore } from '../index.ts';
import { layerOf, ociArchive, streamOf } from './archives.ts';

const [, , directory = '', program = ''] = process.argv;
const HOST = '10.66.0.1';

/** Debian's docker-registry with the certificate `name`. */
async function serve(name: string, port: number, more = ''): Promise<() => void> {
  const tls = `tls: { certificate: '${directory}/${name}.crt', key: '${directory}/${name}.key'${more} }`;
  const config = `${directory}/${name}-${port}.yml`;
  const storage = `storage: { filesystem: { rootdirectory: '${directory}/data-${port}' } }`;
  writeFileSync(
    config,
    `version: 0.1\nlog: { level: error, accesslog: { disabled: true } }\nhttp: { addr: '${HOST}:${port}', ${tls} }\n${storage}\n`,
  );
  const child = spawn(program, ['serve', config], { stdio: 'ignore' });
  for (let tries = 0; tries < 600 && !(await answers(port)); tries++) await new Promise((resolve) => setTimeout(resolve, 50));
  return () => child.kill('SIGKILL');
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: HOST, port }, () => resolve(true)).once('error', () => resolve(false));
    socket.once('close', () => undefined).once('connect', () => socket.destroy());
  });
}

let attempts = 0;

/** A push and a pull with these files as `certs.d/HOST:PORT`. @returns the id that came back, or the failure's code */
async function roundTrip(port: number, files: Readonly<Record<string, string>>): Promise<string> {
  const certificatesDirectory = `${directory}/certs-${++attempts}`;
  mkdirSync(`${certificatesDirectory}/${HOST}:${port}`, { recursive: true });
  for (const [name, source] of Object.entries(files)) cpSync(`${directory}/${source}`, `${certificatesDirectory}/${HOST}:${port}/${name}`);
  const platform = { os: 'linux', architecture: 'amd64' };
  const store = await openImageStore({ root: `${directory}/store-${attempts}`, platform, registries: { certificatesDirectory } });
  try {
    const name = `${HOST}:${port}/round/trip:1`;
    await store.loadArchive(streamOf(ociArchive([layerOf({ a: 'a' })], name)));
    await store.push(name);
    await store.remove(name);
    return (await store.pull(name)).isNew ? 'pushed and pulled' : 'nothing new';
  } catch (error) {
    return findEngineError(error)?.code ?? String(error);
  } finally {
    await store.close();
  }
}

const stops = [
  await serve('server', 5443),
  await serve('elsewhere', 5444),
  await serve('server', 5445, `, clientcas: ['${directory}/ca.crt']`),
];
const CA = { 'ca.crt': 'ca.crt' };
/** Side by side: each refusal is tried again for a while. */
const trips: Readonly<Record<string, Promise<string>>> = {
  'with its authority': roundTrip(5443, CA),
  'without one': roundTrip(5443, {}),
  'with another authority': roundTrip(5443, { 'ca.crt': 'other.crt' }),
  'of another address': roundTrip(5444, CA),
  'that wants a client certificate, without': roundTrip(5445, CA),
  'that wants a client certificate, with': roundTrip(5445, { ...CA, 'client.cert': 'client.crt', 'client.key': 'client.key' }),
};
const results: Record<string, string> = {};
for (const [name, trip] of Object.entries(trips)) results[name] = await trip;
for (const stop of stops) stop();
process.stdout.write(`${JSON.stringify(results)}\n`);
