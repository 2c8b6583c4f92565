/** What comes out of a machine is not believed: agents that lie, flood, or die. */
import { readFileSync } from 'node:fs';
import type { ServerMessage, WorkbenchRequest } from '@slipway/contracts';
import { findProcStat } from '@slipway/kernel';
import { afterAll, afterEach, expect, test } from 'vitest';
import { until } from '../testing/page.ts';
import { silent, standInObserver, temporaryDirectory } from '../testing/stand-in.ts';
import { Workbench } from './workbench.ts';

const benches: Workbench[] = [];
const directory = temporaryDirectory();
afterEach(async () => {
  for (const bench of benches.splice(0)) await bench.end();
});
afterAll(() => directory.remove());

/** An agent whose whole program is `script`; `line` is each line that it gets, `say` writes one. */
function benchOf(script: string, graceMs = 20_000) {
  const program = `
    const say = (value) => process.stdout.write((typeof value === 'string' ? value : JSON.stringify(value)) + '\\n');
    require('node:readline').createInterface({ input: process.stdin }).on('line', (text) => { const line = JSON.parse(text); ${script} });`;
  const opened: string[][] = [];
  const bench = new Workbench({
    machine: 'm',
    machines: { enterCommand: async () => ({ file: process.execPath, args: ['-e', program], env: {} }) },
    terminals: {
      open: async (_machine, shell) => {
        opened.push([...(shell?.argv ?? [])]);
        return { id: 't-1', title: '', labels: {}, cols: 80, rows: 24, pid: 1 };
      },
    },
    observer: standInObserver(),
    log: silent,
    graceMs,
  });
  benches.push(bench);
  const heard: ServerMessage[] = [];
  const page = bench.join((message) => heard.push(message));
  let asked = 0;
  const ask = async (request: WorkbenchRequest) => {
    asked += 1;
    await page.ask(asked, request);
    return heard.find((message) => message.type === 'workbench.answer' && message.id === asked);
  };
  return { bench, page, heard, ask, opened };
}

const IMAGES = { do: 'images' } as const;

test('an answer reaches the page that asked, without what no schema names', async () => {
  const { ask } = benchOf(`say({ id: line.id, result: { images: ['a'], more: '<script>' } })`);
  expect(await ask(IMAGES)).toEqual({ type: 'workbench.answer', id: 1, result: { images: ['a'] } });
});

test.each([
  ['no JSON', `say('hello')`],
  ['a line of another shape', `say({ hello: 1 })`],
  ['an answer without end', `process.stdout.write('x'.repeat(3 * 1024 * 1024))`],
  ['its own death', `process.exit(1)`],
])('%s ends the agent, and the page is told', async (_name, script) => {
  const { ask } = benchOf(script);
  expect(await ask(IMAGES)).toMatchObject({ failure: { code: 'E_WORKBENCH_GONE' } });
});

test.each([
  ['another shape', `{ images: 7 }`],
  ['too many', `{ images: Array.from({ length: 501 }, () => 'a') }`],
  ['too long', `{ images: ['a'.repeat(301)] }`],
])('an answer of %s is not passed on', async (_name, result) => {
  const { ask } = benchOf(`say({ id: line.id, result: ${result} })`);
  expect(await ask(IMAGES)).toMatchObject({ failure: { code: 'E_WORKBENCH_ANSWER' } });
});

test('answers to nobody and events for nobody go nowhere; the agent lives on', async () => {
  const { ask, heard } = benchOf(`say({ id: 99, result: {} }); say({ id: line.id, result: { images: [] } })`);
  await ask(IMAGES);
  expect(await ask(IMAGES)).toMatchObject({ id: 2, result: { images: [] } });
  expect(heard).toHaveLength(2);
});

test('an agent that ended is started again', async () => {
  const { ask } = benchOf(`if (line.request.do === 'containers') process.exit(1); say({ id: line.id, result: { images: [] } })`);
  await ask(IMAGES);
  expect(await ask({ do: 'containers' })).toMatchObject({ failure: { code: 'E_WORKBENCH_GONE' } });
  await expect.poll(async () => ask(IMAGES)).toMatchObject({ result: { images: [] } });
});

test('a shell is opened for a number, never for words', async () => {
  const lies = benchOf(`say({ id: line.id, result: { pid: '1; rm -rf /', namespaces: [] } })`);
  expect(await lies.ask({ do: 'shell', birth: 'b' })).toMatchObject({ failure: { code: 'E_WORKBENCH_ANSWER' } });
  expect(lies.opened).toEqual([]);
  const honest = benchOf(`say({ id: line.id, result: { pid: 44, namespaces: ['pid', 'mount'] } })`);
  expect(await honest.ask({ do: 'shell', birth: 'b' })).toMatchObject({ result: { terminal: 't-1' } });
  expect(honest.opened[0]).toEqual(expect.arrayContaining(['/usr/bin/nsenter', '44', '--pid', '--mount']));
});

test('a run in a terminal is opened for a number, never for words', async () => {
  const ask = { do: 'openRun', image: 'i', config: '{}', runtime: 'ours' } as const;
  const lies = benchOf(`say({ id: line.id, result: { run: '../1; sh' } })`);
  expect(await lies.ask(ask)).toMatchObject({ failure: { code: 'E_WORKBENCH_ANSWER' } });
  expect(lies.opened).toEqual([]);
  const honest = benchOf(`say({ id: line.id, result: { run: 17 } })`);
  expect(await honest.ask(ask)).toMatchObject({ result: { run: 17, terminal: 't-1' } });
  expect(honest.opened[0]?.slice(-3)).toEqual(['workbench', 'terminal', '17']);
});

test('a page that leaves is told to the agent, and hears nothing more', async () => {
  const { page, bench, heard } = benchOf(
    `if (line.gone !== undefined) say({ page: 2, event: { birth: 'gone ' + line.gone, status: 'undone', operations: [], warnings: [], outcomes: [] } });
     else say({ id: line.id, result: { images: [] } })`,
  );
  await page.ask(1, IMAGES);
  const other: ServerMessage[] = [];
  const second = bench.join((message) => other.push(message));
  page.leave();
  await second.ask(1, IMAGES);
  await until(() => other.length > 0);
  expect(heard).toHaveLength(1);
});

test('what is asked while the agent comes up counts, too', async () => {
  const { page, heard } = benchOf(`say({ id: line.id, result: { images: [] } })`);
  await Promise.all(Array.from({ length: 50 }, (_, id) => page.ask(id, IMAGES)));
  const refused = heard.filter((message) => 'failure' in message && message.failure.code === 'E_WORKBENCH_BUSY');
  expect([heard.length, refused.length]).toEqual([50, 18]);
});

test('an agent that is not believed any more and stays all the same is ended', async () => {
  const path = `${directory.path}/stays`;
  const stays = `require('node:fs').writeFileSync(${JSON.stringify(path)}, String(process.pid)); setInterval(() => {}, 1000); say('hello')`;
  const { ask } = benchOf(stays, 100);
  expect(await ask(IMAGES)).toMatchObject({ failure: { code: 'E_WORKBENCH_GONE' } });
  const pid = Number(readFileSync(path, 'utf8'));
  await expect.poll(() => findProcStat(pid)).toBeUndefined();
});

test('the late end of one agent takes no answer from the next', async () => {
  const [first, second] = [`${directory.path}/first`, `${directory.path}/second`].map((path) => JSON.stringify(path));
  const { ask } = benchOf(`
    const fs = require('node:fs');
    const answer = () => say({ id: line.id, result: { images: [] } });
    if (!fs.existsSync(${first})) {
      fs.writeFileSync(${first}, String(process.pid));
      say('hello');
      setInterval(() => fs.existsSync(${second}) && process.exit(), 20);
    } else {
      fs.writeFileSync(${second}, '');
      const isThere = () => fs.existsSync('/proc/' + fs.readFileSync(${first}, 'utf8'));
      const timer = setInterval(() => { if (!isThere()) { clearInterval(timer); setTimeout(answer, 100); } }, 20);
    }`);
  expect(await ask(IMAGES)).toMatchObject({ failure: { code: 'E_WORKBENCH_GONE' } });
  expect(await ask(IMAGES)).toMatchObject({ result: { images: [] } });
});

test('an agent that floods is read no faster than it may talk, and is heard all the same', async () => {
  const [lines, mib] = [22, 0.95];
  const { ask } = benchOf(`
    for (let i = 0; i < ${lines}; i += 1) say({ id: 99, result: 'x'.repeat(${mib * 2 ** 20}) });
    say({ id: line.id, result: { images: [] } })`);
  const began = performance.now();
  expect(await ask(IMAGES)).toMatchObject({ result: { images: [] } });
  const seconds = (performance.now() - began) / 1000;
  // Slower is always fine: that much time must have gone by for so much to be read.
  expect(lines * mib).toBeLessThan(16 + 4 * seconds + 0.5);
});
