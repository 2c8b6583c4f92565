import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Session } from '@slipway/contracts';
import { hostTest } from '@slipway/testing';
import { afterEach, beforeEach, expect } from 'vitest';
import { TestPage, until } from './testing/page.ts';
import type { Signed } from './testing/serve.ts';
import { temporaryDirectory, writePage } from './testing/stand-in.ts';

const MAIN = fileURLToPath(new URL('./testing/stand-in-main.ts', import.meta.url));

interface Process {
  readonly child: ChildProcess;
  readonly port: number;
  readonly code: string;
}

let directory: ReturnType<typeof temporaryDirectory>;
const started: ChildProcess[] = [];

beforeEach(() => {
  directory = temporaryDirectory();
  writePage(directory.path);
});

afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) await ended(child, 'SIGTERM');
  }
  directory.remove();
});

function start(port = 0): Promise<Process> {
  const child = spawn(process.execPath, [MAIN, directory.path, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (data) => {
      text += String(data);
      const match = /^Slipway is at http:\/\/127\.0\.0\.1:(\d+)\/#code=(\S+)\n$/.exec(text);
      if (match) resolve({ child, port: Number(match[1]), code: match[2] ?? '' });
    });
    child.once('exit', (exitCode) => reject(new Error(`the lab ended with ${exitCode}`)));
  });
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await exit;
}

/** Logs in as a browser would, and is what TestPage needs. */
async function login({ port, code }: Process) {
  const base = `http://127.0.0.1:${port}`;
  const response = await fetch(`${base}/api/login`, {
    method: 'POST',
    headers: { origin: base, 'content-type': 'application/json' },
    body: JSON.stringify({ code }),
  });
  expect(response.status).toBe(200);
  const [cookie = ''] = (response.headers.get('set-cookie') ?? '').split(';');
  const { token } = (await response.json()) as Session;
  const headers = () => ({ origin: base, cookie, 'x-slipway': token });
  return { lab: { port, headers }, me: { token } as Signed };
}

function descendants(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .filter((line) => line.includes(directory.path));
}

hostTest('from the address to a shell: login, page, socket, typing, leaving nothing', ['linux', 'root'], async () => {
  const process = await start();
  expect((await fetch(`http://127.0.0.1:${process.port}/healthz`)).status).toBe(200);
  expect(await (await fetch(`http://127.0.0.1:${process.port}/`)).text()).toContain('Slipway');
  const { lab, me } = await login(process);
  const page = await TestPage.open(lab, me, { page: 'p1' });
  const { terminals, machine } = await page.heard('welcome');
  expect(machine.state).toBe('ready');
  expect(terminals).toEqual([{ id: expect.any(String), title: 'shell 1', role: 'owner' }]);
  const opened = await page.terminal(terminals[0]?.id ?? '');
  page.type(opened.channel, 0, 'echo pid=$$ sum=$((40+2))\n');
  await until(() => page.text.get(opened.channel)?.includes('sum=42') ?? false);
  // Its own pid namespace: the shell is one of the first processes there.
  expect(page.text.get(opened.channel)).toMatch(/pid=[1-9]\b/);
  const report = "printf '\\033]633;E;  7  docker ps\\007'\n";
  page.type(opened.channel, 26, report);
  await until(() => page.events.some((event) => event.type === 'command' && event.line === 'docker ps' && event.origin === 'machine'));
  page.type(opened.channel, 26 + report.length, 'exit 3\n');
  const exited = { terminal: terminals[0]?.id, exitCode: 3 };
  expect(await page.heard('terminal.exited')).toMatchObject(exited);
  const later = await TestPage.open(lab, me, { page: 'p2' });
  await later.terminal(terminals[0]?.id ?? '');
  expect(await later.heard('terminal.exited')).toMatchObject(exited);
  await ended(process.child, 'SIGTERM');
  expect(page.closeCode).toBe(1001);
  await until(() => descendants().length === 0);
  expect(existsSync(`${directory.path}/machines`)).toBe(false);
  expect(existsSync(`${directory.path}/run/pty/host.sock`)).toBe(false);
});

hostTest(
  'labd killed with -9: session, machine, journal and terminal go on, nothing typed is lost or doubled',
  ['linux', 'root'],
  async () => {
    const first = await start();
    const { lab, me } = await login(first);
    const page = await TestPage.open(lab, me, { page: 'p1' });
    const welcome = await page.heard('welcome');
    const id = welcome.terminals[0]?.id ?? '';
    const opened = await page.terminal(id);
    const line = 'for i in $(seq 1 3000); do echo line-$i; sleep 0.001; done; echo end\n';
    page.type(opened.channel, 0, line);
    await until(() => page.text.get(opened.channel)?.includes('line-200\r') ?? false);
    await ended(first.child, 'SIGKILL');
    await until(() => page.closeCode !== undefined);
    const offset = page.offsets.get(opened.channel) ?? 0;
    const seen = page.text.get(opened.channel) ?? '';

    const second = await start(first.port);
    const again = await TestPage.open(lab, me, { page: 'p1', journal: welcome.journal, after: page.events.at(-1)?.seq ?? 0 });
    const rewelcome = await again.heard('welcome');
    expect(rewelcome.journal).toBe(welcome.journal);
    expect(rewelcome.lastSeq).toBeGreaterThanOrEqual(page.events.at(-1)?.seq ?? 0);
    expect(rewelcome.terminals.map((terminal) => terminal.id)).toEqual([id]);
    const reopened = await again.terminal(id, { offset, epoch: opened.epoch });
    expect(reopened).toMatchObject({ offset, inputOffset: line.length });
    expect(reopened.snapshot).toBeUndefined();
    again.type(reopened.channel, 0, `${line}echo typed-$((1+1))\n`);
    await until(() => again.text.get(reopened.channel)?.includes('typed-2') ?? false, 30_000);
    const all = `${seen}${again.text.get(reopened.channel)}`;
    expect([...all.matchAll(/line-(\d+)\r\n/g)].map(([, n]) => Number(n))).toEqual(Array.from({ length: 3000 }, (_, i) => i + 1));
    await again.close();
    await ended(second.child, 'SIGTERM');
    await until(() => descendants().length === 0);
  },
);

hostTest('terminals are opened, numbered, limited and closed', ['linux', 'root'], async () => {
  const process = await start();
  const { lab, me } = await login(process);
  const post = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${lab.port}${path}`, {
      method: 'POST',
      headers: { ...lab.headers(), 'content-type': 'application/json' },
      body: '{}',
    });
    return { status: response.status, body: (await response.json()) as { id?: string; title?: string; code?: string } };
  };
  const page = await TestPage.open(lab, me);
  const [two, three, four] = [await post('/api/terminals'), await post('/api/terminals'), await post('/api/terminals')];
  expect([two, three, four].map(({ body }) => body.title)).toEqual(['shell 2', 'shell 3', 'shell 4']);
  expect(await post('/api/terminals')).toMatchObject({ status: 409, body: { code: 'E_TERMINAL_LIMIT' } });
  const opened = await page.terminal(three.body.id ?? '');
  page.type(opened.channel, 0, `printf '\\033]0;my title\\007'\n`);
  await until(() =>
    page.messages.some((message) => message.type === 'terminals' && message.terminals.some(({ title }) => title === 'my title')),
  );
  expect((await post(`/api/terminals/${two.body.id}/close`)).status).toBe(200);
  expect((await post(`/api/terminals/${two.body.id}/close`)).status).toBe(404);
  expect((await post('/api/terminals')).body.title).toBe('shell 2');
});

hostTest('a second lab on the same data is refused; root gets a new code over the control socket', ['linux', 'root'], async () => {
  const process = await start();
  await expect(start(0)).rejects.toThrow('ended with 1');
  expect(statSync(`${directory.path}/run/control`).mode & 0o777).toBe(0o700);
  const answer = await new Promise<string>((resolve) => {
    const socket = createConnection(`${directory.path}/run/control/labd.sock`);
    socket.on('data', (data) => resolve(data.toString()));
    socket.write('code\n');
  });
  await login({ ...process, code: /#code=(\S+)/.exec(answer)?.[1] ?? '' });
});

hostTest('what npm start cannot do, it says in a sentence, and leaves nothing', ['linux', 'root'], async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as AddressInfo;
  const run = (...args: string[]) => {
    const all = [fileURLToPath(new URL('./main.ts', import.meta.url)), '--data', `${directory.path}/data`, ...args];
    return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
      execFile(process.execPath, all, { timeout: 30_000 }, (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
      );
    });
  };
  // Named as config.ts names it; other labs on this host have other data directories.
  const runDir = `/run/slipway/lab-${createHash('sha256').update(`${directory.path}/data`).digest('hex').slice(0, 8)}`;
  for (const [args, sentence] of [
    [['--port', String(port)], `slipway: port ${port} is in use`],
    [['--port', '70000'], 'slipway: setting "port"'],
    [['--host', '0.0.0.0'], 'slipway: refusing to listen on "0.0.0.0", which others can reach'],
    [['--what'], "slipway: Unknown option '--what'"],
  ] as const) {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }, `${sentence}\n${stderr}`).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(sentence);
    expect(stderr).toMatch(/^ {2}try: /m);
    expect(stderr).not.toMatch(/^ {4}at /m);
  }
  expect(existsSync(runDir)).toBe(false);
  taken.close();
});
