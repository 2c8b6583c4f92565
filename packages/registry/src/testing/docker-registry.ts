/** Debian's docker-registry, from set-up's directory of peers, on the loopback address. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { send } from './registry-client.ts';

const PROGRAM = new URL('../../../../.slipway/peers/docker-registry/usr/bin/docker-registry', import.meta.url).pathname;

export const hasDockerRegistry = (): boolean => existsSync(PROGRAM);

export interface DockerRegistry {
  readonly origin: string;
  close(): Promise<void>;
}

export async function startDockerRegistry(): Promise<DockerRegistry> {
  const root = mkdtempSync(join(tmpdir(), 'docker-registry-'));
  const port = await freePort();
  const config = join(root, 'config.yml');
  writeFileSync(
    config,
    `version: 0.1\nlog: { level: error, accesslog: { disabled: true } }\nhttp: { addr: '127.0.0.1:${port}' }\n` +
      `storage: { filesystem: { rootdirectory: '${root}/data' }, delete: { enabled: true }, cache: { blobdescriptor: inmemory } }\n`,
  );
  const child = spawn(PROGRAM, ['serve', config], { stdio: 'ignore' });
  const origin = `http://127.0.0.1:${port}`;
  const close = async () => {
    await ended(child);
    rmSync(root, { recursive: true, force: true });
  };
  for (let waited = 0; waited < 300; waited++) {
    const reply = await send(origin, 'GET', '/v2/').catch(() => undefined);
    if (reply?.status === 200) return { origin, close };
    await sleep(100);
  }
  await close();
  throw new Error('docker-registry does not answer');
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
