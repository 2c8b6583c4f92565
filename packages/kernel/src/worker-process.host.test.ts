import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, expect } from 'vitest';
import { delay } from './monotonic.ts';
import { openWorkerSession, runWorker } from './worker-process.ts';

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

/** A worker that says what the first of its descriptors holds, and dies of the word `die`. */
const reader = () => {
  const path = join(base, 'session.mjs');
  writeFileSync(
    path,
    `import { workerDescriptor } from ${JSON.stringify(source('./worker-descriptor.ts'))};
     import { readFileSync } from 'node:fs';
     await workerDescriptor.serve(Number(process.argv[3]), async (task, [fd]) => {
       if (task === 'die') process.kill(process.pid, 'SIGKILL');
       return { task, pid: process.pid, text: readFileSync(fd, 'utf8') };
     });`,
  );
  return pathToFileURL(path);
};

hostTest('a session’s worker takes what was opened after it was started, one task after the other', ['linux'], async () => {
  const session = openWorkerSession({ module: reader() });
  const replies: unknown[] = [];
  for (const text of ['one', 'two']) {
    writeFileSync(join(base, text), text);
    const fd = openSync(join(base, text), 'r');
    replies.push((await session.run(text, [fd])).answer);
    closeSync(fd);
  }
  await session.close();

  const [{ pid } = { pid: 0 }] = replies as { pid: number }[];
  expect(replies).toEqual([
    { task: 'one', pid, text: 'one' },
    { task: 'two', pid, text: 'two' },
  ]);
  expect(existsSync(`/proc/${pid}`)).toBe(false);
});

hostTest('a session whose worker dies says so, then and later, and can be closed', ['linux'], async () => {
  const session = openWorkerSession({ module: reader() });
  const fd = openSync(base, 'r');
  expect(await session.run('die', [fd])).toMatchObject({ answer: undefined, end: expect.stringContaining('SIGKILL') });
  expect(await session.run('again', [fd])).toMatchObject({ answer: undefined, end: expect.stringContaining('SIGKILL') });
  closeSync(fd);
  await session.close();
});

hostTest('a session ends with its signal, also in the middle of a task', ['linux'], async () => {
  const ending = new AbortController();
  const session = openWorkerSession({ module: reader(), signal: ending.signal });
  execFileSync('mkfifo', [join(base, 'never')]);
  const fd = openSync(join(base, 'never'), 'r+');
  const reply = session.run('wait', [fd]);
  ending.abort();
  expect((await reply).answer).toBeUndefined();
  closeSync(fd);
  await session.close();
});
