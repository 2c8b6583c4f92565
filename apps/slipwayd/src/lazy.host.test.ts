/** Lazy images as people use them: converted, copied by others, pulled by our client, run while they arrive. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type RunningRegistry, serveRegistry } from '@slipway/registry';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { TestDaemon } from './testing/test-daemon.ts';

const run = promisify(execFile);
const bin = (name: string) => fileURLToPath(new URL(`../../../bin/${name}`, import.meta.url));
const BUSYBOX = fileURLToPath(new URL('../../../.slipway/images/busybox.tar', import.meta.url));

let base: string;
let registry: RunningRegistry;
let daemon: TestDaemon;
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'lazy-journey-'));
  registry = await serveRegistry({ root: join(base, 'registry'), listen: '127.0.0.1:0', onInternalError: () => undefined });
  daemon = await TestDaemon.start();
});
afterAll(async () => {
  await daemon?.dispose();
  await registry?.close();
  rmSync(base, { recursive: true, force: true });
});

hostTest('an image is converted, stays one for skopeo, and runs before it has come', ['root', 'linux', 'overlayfs'], async () => {
  const name = `${registry.address}/lazy:1`;
  await run(bin('slipway'), ['image', 'convert', '--lazy', `docker-archive:${BUSYBOX}`, `docker://${name}`]);
  await run('skopeo', ['copy', '--src-tls-verify=false', `docker://${name}`, `docker-archive:${join(base, 'copy.tar')}:copied:1`]);

  const env = { PATH: process.env['PATH'] ?? '', HOME: daemon.base, DOCKER_HOST: `unix://${daemon.socket}` };
  await run(bin('docker'), ['pull', '--lazy', name], { env });
  const { stdout } = await daemon.docker('run', '--rm', name, 'sh', '-c', 'head -c 4 /bin/busybox | tail -c 3; ls /stargz.index.json');
  expect(stdout).toBe('ELF/stargz.index.json\n');
  const fills = () => daemon.readJournal().filter((event) => JSON.stringify(event).includes('"name":"layer.fill"'));
  await vi.waitFor(() => expect(JSON.stringify(fills().at(-1))).toContain('whole'), 20_000);
  await vi.waitFor(() => expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(`slipway-lazy ${daemon.base}`), 20_000);
  expect((await daemon.docker('run', '--rm', name, 'ls', '/stargz.index.json')).stdout).toBe('/stargz.index.json\n');
  // The twin: what skopeo copied is the same image to an engine that knows nothing of indexes.
  await run(bin('docker'), ['load', '-i', join(base, 'copy.tar')], { env });
  expect((await daemon.docker('run', '--rm', 'copied:1', 'ls', '/stargz.index.json')).stdout).toBe('/stargz.index.json\n');
});
