import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, expect } from 'vitest';
import { delay } from './monotonic.ts';
import { runWorker } from './worker-process.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'worker-'));
});
afterEach(() => rmSync(base, { recursive: true }));

const source = (name: string) => new URL(name, import.meta.url).href;
const worker = (body: string): URL => {
  const path = join(base, 'worker.mjs');
  writeFileSync(
    path,
    `import { workerDescriptor } from ${JSON.stringify(source('./worker-descriptor.ts'))};\nworkerDescriptor.endWithParent();\n${body}`,
  );
  return pathToFileURL(path);
};

hostTest('a worker answers in lines, has no environment of ours, and ends by itself', ['linux'], async () => {
  const messages: unknown[] = [];
  const module = worker(`workerDescriptor.answer({ args: process.argv.slice(2), env: Object.keys(process.env).sort() });`);

  const exit = await runWorker({ module, args: ['x y'], descriptors: [], onMessage: (message) => messages.push(message) });

  expect(exit).toMatchObject({ code: 0, signal: null });
  expect(messages).toEqual([{ args: ['x y'], env: ['LC_ALL', 'PATH'] }]);
});

hostTest('what a failing worker said is kept', ['linux'], async () => {
  const exit = await runWorker({ module: worker(`throw new Error('no luck');`), args: [], descriptors: [], onMessage: () => undefined });

  expect(exit.code).toBe(1);
  expect(exit.stderr).toContain('no luck');
});

hostTest('a worker ends when the process that asked is killed', ['linux'], async () => {
  const module = worker(`workerDescriptor.answer(process.pid); setInterval(() => {}, 1000);`);
  const script = `const { runWorker } = await import(${JSON.stringify(source('./worker-process.ts'))});
    await runWorker({ module: new URL(${JSON.stringify(module.href)}), args: [], descriptors: [], onMessage: (pid) => process.stdout.write(String(pid)) });`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = await new Promise<string>((resolve) => parent.stdout.once('data', (text: Buffer) => resolve(text.toString())));
  expect(existsSync(`/proc/${pid}`)).toBe(true);

  parent.kill('SIGKILL');

  for (let i = 0; i < 100 && existsSync(`/proc/${pid}`); i++) await delay(50);
  expect(existsSync(`/proc/${pid}`)).toBe(false);
});
