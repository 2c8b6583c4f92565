import { connect, createConnection } from 'node:net';
import type { JournalBody } from '@slipway/journal';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openSocket, outcome, TestPage, until } from '../testing/page.ts';
import { type Served, serve } from '../testing/serve.ts';

let lab: Served;
beforeAll(async () => {
  lab = await serve({ listen: true });
});
afterAll(() => lab.close());

const container = (id: string, status: 'running' | 'removed' = 'running'): JournalBody => ({
  type: 'container',
  container: { id, name: id, image: 'busybox', command: ['sh'], status, createdAt: '2026-01-01T00:00:00Z', api: 'docker' },
});

describe('the upgrade', () => {
  test.each([
    ['no cookie', (l: Served) => ({ ...l.headers() }), 401],
    ['a forged cookie', (l: Served) => ({ ...l.headers(l.alice), cookie: `slipway-${l.port}=x` }), 401],
    ['a foreign origin', (l: Served) => ({ ...l.headers(l.alice), origin: 'http://evil.test' }), 403],
    ['no origin', (l: Served) => ({ host: `127.0.0.1:${l.port}`, cookie: l.headers(l.alice)['cookie'] ?? '' }), 403],
    ['origin null', (l: Served) => ({ ...l.headers(l.alice), origin: 'null' }), 403],
    ['another port', (l: Served) => ({ ...l.headers(l.alice), origin: 'http://127.0.0.1:1' }), 403],
    ['another scheme', (l: Served) => ({ ...l.headers(l.alice), origin: `https://127.0.0.1:${l.port}` }), 403],
    ['a rebound host', (l: Served) => ({ ...l.headers(l.alice), host: 'evil.test', origin: 'http://evil.test' }), 421],
    ['a cross-site fetch', (l: Served) => ({ ...l.headers(l.alice), 'sec-fetch-site': 'cross-site' }), 403],
    ['everything right', (l: Served) => l.headers(l.alice), 'open'],
  ])('with %s answers', async (_name, headers, expected) => {
    const socket = openSocket(lab, headers(lab));
    expect(await outcome(socket)).toBe(expected);
    socket.terminate();
  });

  test.each([
    '/',
    '/healthz',
    '/api/session',
    '/api/terminals',
    '/nothing',
    'http://evil.test/api/socket',
    '/api//socket',
    '/api/socket/..',
  ])('of %s opens nothing', async (target) => {
    const { cookie = '', origin = '' } = lab.headers(lab.alice);
    const raw = [
      `GET ${target} HTTP/1.1`,
      `Host: 127.0.0.1:${lab.port}`,
      `Origin: ${origin}`,
      `Cookie: ${cookie}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      '\r\n',
    ].join('\r\n');
    const socket = connect(lab.port, '127.0.0.1');
    socket.write(raw);
    const [answer] = await new Promise<[Buffer]>((resolve, reject) => {
      socket.once('data', (data) => resolve([data]));
      socket.once('error', reject);
    });
    expect(answer.toString().split('\r\n')[0]).toMatch(/^HTTP\/1.1 4\d\d/);
    socket.destroy();
  });
});

describe('the conversation', () => {
  const closed = async (first: string | Buffer, who = lab.alice) => {
    const page = new TestPage(lab, who);
    await outcome(page.socket);
    page.socket.send(first);
    await until(() => page.closeCode !== undefined);
    return [page.closeCode, page.messages.length];
  };

  test.each([
    ['no JSON', 'hello', 1003],
    ['an unknown message', '{"type":"shell"}', 1003],
    ['a message of another shape', '{"type":"hello","token":7}', 1003],
    ['something before hello', '{"type":"ping","id":1}', 1008],
    ['a wrong token', '{"type":"hello","token":"x"}', 1008],
  ])('%s ends it, with nothing told', async (_name, first, code) => {
    expect(await closed(first)).toEqual([code, 0]);
  });

  test('the token of another session ends it', async () => {
    expect(await closed(JSON.stringify({ type: 'hello', token: lab.bob.token }))).toEqual([1008, 0]);
  });

  test('too large a message ends it', async () => {
    expect(await closed(Buffer.alloc(200_000))).toEqual([1009, 0]);
  });

  test('a second hello ends it', async () => {
    const page = await TestPage.open(lab, lab.alice);
    page.say({ type: 'hello', token: lab.alice.token });
    await until(() => page.closeCode === 1008);
  });

  test('no hello within five seconds ends it', async () => {
    const page = new TestPage(lab, lab.alice);
    await outcome(page.socket);
    await until(() => page.closeCode === 1008, 7000);
  }, 10_000);

  test('a flood of pings, or of messages, ends it', async () => {
    for (const flood of [(page: TestPage) => page.socket.ping(), (page: TestPage) => page.say({ type: 'ping', id: 1 })]) {
      const page = await TestPage.open(lab, lab.alice);
      for (let i = 0; i < 30_000 && page.socket.readyState === page.socket.OPEN; i += 1) flood(page);
      await until(() => page.closeCode !== undefined);
      // 1006 where our reset overtakes the close frame: the page was still sending.
      expect([1006, 1008]).toContain(page.closeCode);
    }
  });

  test('a message in very many fragments ends it', async () => {
    const page = await TestPage.open(lab, lab.alice);
    for (let i = 0; i < 200; i += 1) page.socket.send('x', { fin: false });
    await until(() => page.closeCode !== undefined);
    expect([1006, 1008, 1009]).toContain(page.closeCode);
  });

  test('ping is answered', async () => {
    const page = await TestPage.open(lab, lab.alice);
    page.say({ type: 'ping', id: 42 });
    expect((await page.heard('pong')).id).toBe(42);
    await page.close();
  });
});

describe('the journal', () => {
  test('comes from where the page is, in order, and only the own', async () => {
    const journal = lab.alice.learner.lab.journal;
    const emit = lab.observer.emit.get('alice');
    for (let i = 0; i < 1200; i += 1) emit?.({ type: 'notice', level: 'info', text: `n${i}` }, i);
    const first = await TestPage.open(lab, lab.alice);
    await until(() => first.events.at(-1)?.seq === journal.lastSeq);
    expect(first.events.map(({ seq }) => seq)).toEqual(Array.from({ length: journal.lastSeq }, (_, i) => i + 1));

    const again = await TestPage.open(lab, lab.alice, { journal: journal.id, after: journal.lastSeq - 3 });
    await until(() => again.events.length === 3);
    emit?.({ type: 'notice', level: 'info', text: 'live' }, 1);
    await until(() => again.events.length === 4 && first.events.at(-1)?.seq === journal.lastSeq);

    const other = await TestPage.open(lab, lab.bob);
    await until(() => other.events.length > 0);
    expect(JSON.stringify(other.events)).not.toContain('live');
    for (const page of [first, again, other]) await page.close();
  });

  test('a page that reads nothing costs bounded memory, and goes on exactly when it reads again', async () => {
    const journal = lab.bob.learner.lab.journal;
    const page = await TestPage.open(lab, lab.bob, { journal: journal.id, after: journal.lastSeq });
    const from = journal.lastSeq;
    const socket = [...lab.server.app.websocketServer.clients].at(-1);
    page.socket.pause();
    const emit = lab.observer.emit.get('bob');
    const text = 'x'.repeat(10_000);
    let most = 0;
    for (let i = 0; i < 3000; i += 1) {
      emit?.({ type: 'notice', level: 'info', text }, i);
      if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      most = Math.max(most, socket?.bufferedAmount ?? 0);
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(8 * 1024 * 1024);
    page.socket.resume();
    await until(() => page.events.at(-1)?.seq === from + 3000);
    expect(page.events.map(({ seq }) => seq)).toEqual(Array.from({ length: 3000 }, (_, i) => from + 1 + i));
    await page.close();
  });

  test('an engine tells its story over the lab socket; what it claims of the host is not taken', async () => {
    const journal = lab.alice.learner.lab.journal;
    const machines = lab.alice.learner.lab;
    expect(machines.status.state).toBe('ready');
    const { labDir } = await lab.machines.ensure('alice');
    const speak = async (boot: string, lines: readonly object[]) => {
      const socket = createConnection(`${labDir}/journal.sock`);
      let answer = '';
      socket.on('data', (data) => {
        answer += data.toString();
      });
      socket.write(`${JSON.stringify({ hello: { boot, pid: 1 } })}\n`);
      await until(() => answer.includes('\n'));
      for (const line of lines) socket.write(`${JSON.stringify(line)}\n`);
      return { socket, greeting: JSON.parse(answer) };
    };
    const line = (n: number) => ({ type: 'notice', level: 'info', text: `engine ${n}`, atMs: 1, n });
    const before = journal.lastSeq;
    const one = await speak('boot-1', [
      line(1),
      { type: 'kernel.exec', event: { pid: 1, hostPid: 1, comm: 'forged' }, atMs: 1, n: 2 },
      line(3),
    ]);
    expect(one.greeting).toEqual({ resumeAfter: 0, boot: null });
    await until(() => journal.lastSeq >= before + 3);
    const two = await speak('boot-1', [line(2), line(3), line(4)]);
    expect(two.greeting).toEqual({ resumeAfter: 3, boot: 'boot-1' });
    await until(() => one.socket.destroyed);
    await until(() => journal.read(before, 100).some((event) => event.type === 'notice' && event.text === 'engine 4'));
    const three = await speak('boot-2', []);
    expect(three.greeting).toEqual({ resumeAfter: 4, boot: 'boot-1' });
    const taken = journal.read(before, 100);
    expect(taken.flatMap((event) => (event.type === 'notice' ? [event.text] : []))).toEqual(['engine 1', 'engine 3', 'engine 4']);
    expect(taken.some(({ type }) => type === 'kernel.exec')).toBe(false);
    expect(new Set(taken.map(({ origin }) => origin))).toEqual(new Set(['machine']));
    for (const { socket } of [two, three]) socket.destroy();

    const rude = createConnection(`${labDir}/journal.sock`);
    rude.resume();
    rude.write('x'.repeat(10_000));
    rude.on('error', () => {});
    await until(() => rude.destroyed || rude.readableEnded || rude.closed);
  });

  test('a second engine of a machine is heard beside the first, and each goes on where it was', async () => {
    const journal = lab.alice.learner.lab.journal;
    const { labDir } = await lab.machines.ensure('alice');
    const speak = (hello: object, n: number) => {
      const socket = createConnection(`${labDir}/journal.sock`);
      socket.resume();
      const told = { type: 'notice', level: 'info', text: `${JSON.stringify(hello)} ${n}`, atMs: 1, n };
      socket.write(`${JSON.stringify({ hello })}\n${JSON.stringify(told)}\n`);
      return socket;
    };
    const before = journal.lastSeq;
    const heard = () => journal.read(before, 100).flatMap((event) => (event.type === 'notice' ? [event.text] : []));
    const own = { boot: 'own', root: '/var/lib/slipway' };
    const beside = { boot: 'beside', root: '/var/lib/slipway-native' };
    const sockets = [speak(own, 1), speak(beside, 1)];
    await until(() => heard().length === 2);
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, false]);
    sockets.push(speak(beside, 1), speak(beside, 2));
    await until(() => heard().length === 3);
    expect(heard().toSorted()).toEqual(
      [`${JSON.stringify(beside)} 1`, `${JSON.stringify(beside)} 2`, `${JSON.stringify(own)} 1`].toSorted(),
    );
    const tooMany = ['/a', '/b', '/c'].map((root) => speak({ boot: 'more', root }, 1));
    await until(() => tooMany.at(-1)?.destroyed === true);
    for (const socket of [...sockets, ...tooMany]) socket.destroy();
  });
});

describe('lessons', () => {
  const post = (url: string, payload: object) =>
    lab.server.app.inject({ method: 'POST', url, headers: { ...lab.headers(lab.alice), 'content-type': 'application/json' }, payload });
  beforeEach(async () => {
    await post('/api/lessons/first/reset', {});
  });

  test('a task ticks when the journal shows it, stays where it is an act and regresses where it is a state', async () => {
    const page = await TestPage.open(lab, lab.alice, { lesson: 'first' });
    expect((await page.heard('progress')).tasks.map(({ status }) => status)).toEqual(['open', 'open']);
    const latest = () => page.messages.findLast((message) => message.type === 'progress')?.tasks.map(({ status }) => status);
    const emit = lab.observer.emit.get('alice');
    emit?.(container('c1'), 1);
    await until(() => JSON.stringify(latest()) === '["passed","passed"]');
    emit?.(container('c1', 'removed'), 2);
    await until(() => JSON.stringify(latest()) === '["passed","regressed"]');
    await until(() => page.events.some((event) => event.type === 'check' && event.check.status === 'regressed'));
    const saw = page.messages.findLast((message) => message.type === 'progress')?.tasks[1]?.saw;
    expect(saw).toBe('I see none. I am looking for one.');
    const stored = Object.fromEntries(lab.store.tasks('alice', 'first').map(({ task, status }) => [task, status]));
    expect(stored).toEqual({ run: 'passed', keep: 'regressed' });
    expect(lab.ran.filter((line) => line.includes('/prepared')).length).toBeGreaterThan(0);
    await page.close();
  });

  test('hints come one grade after another; solutions and answers are not in the document', async () => {
    expect((await post('/api/lessons/first/hint', { task: 'run', grade: 2 })).json()).toMatchObject({ code: 'E_HINT_ORDER' });
    expect((await post('/api/lessons/first/hint', { task: 'run', grade: 1 })).json()).toEqual({ text: 'look' });
    expect((await post('/api/lessons/first/hint', { task: 'run', grade: 2 })).json()).toEqual({ text: 'use' });
    expect((await post('/api/lessons/first/solution', { task: 'run' })).json()).toEqual({ lines: ['docker run x'] });
    expect((await post('/api/lessons/first/quiz', { question: 'q', option: 1 })).json()).toEqual({
      correct: false,
      explanation: 'ps shows it',
    });
    expect((await post('/api/lessons/first/quiz', { question: 'q', option: 7 })).statusCode).toBe(404);
    expect((await post('/api/lessons/none/quiz', { question: 'q', option: 0 })).statusCode).toBe(404);
    const view = (await lab.server.app.inject({ url: '/api/lessons/first', headers: lab.headers(lab.alice) })).json();
    expect(view.progress[0]).toMatchObject({ task: 'run', hintsShown: 2 });
    expect(view.quizAnswered).toEqual([{ question: 'q', option: 1, correct: false, explanation: 'ps shows it' }]);
    expect(JSON.stringify(view.document)).not.toMatch(/docker run x|ps shows it|"answer"/);
    const other = (await lab.server.app.inject({ url: '/api/lessons/first', headers: lab.headers(lab.bob) })).json();
    expect(other.progress[0].hintsShown).toBe(0);
    expect(other.quizAnswered).toEqual([]);
  });
});

test('a machine reset tells every page, begins a new journal and opens a fresh terminal', async () => {
  const page = await TestPage.open(lab, lab.alice);
  const before = await page.heard('welcome');
  const other = await TestPage.open(lab, lab.bob);
  const headers = { ...lab.headers(lab.alice), 'content-type': 'application/json' };
  const response = await lab.server.app.inject({ method: 'POST', url: '/api/machine/reset', headers, payload: {} });
  expect(response.json()).toMatchObject({ id: 'alice', state: 'ready' });
  const { journal } = await page.heard('journal.new');
  expect(journal).not.toBe(before.journal);
  await until(() => page.messages.some((message) => message.type === 'journal' && message.journal === journal));
  expect(
    page.messages.filter(({ type }) => type === 'machine').map((message) => message.type === 'machine' && message.machine.state),
  ).toEqual(['resetting', 'ready']);
  const [terminal] = lab.alice.learner.lab.terminals;
  expect(terminal?.id).not.toBe(before.terminals[0]?.id);
  expect(other.messages.some(({ type }) => type === 'journal.new' || type === 'machine')).toBe(false);
  for (const one of [page, other]) await one.close();
});

test('a machine that ends by itself is told at once, with the way out; what an earlier machine’s watch says then is old news', async () => {
  const page = await TestPage.open(lab, lab.alice);
  const end = lab.observer.end.get('alice');
  end?.();
  const { machine } = await page.heard('machine');
  expect(machine).toMatchObject({ state: 'failed', problem: expect.stringMatching(/machine stopped: .*reset makes a new one/) });
  await until(() => page.events.some((event) => event.type === 'notice' && event.level === 'error' && event.origin === 'host'));
  const headers = { ...lab.headers(lab.alice), 'content-type': 'application/json' };
  const reset = () => lab.server.app.inject({ method: 'POST', url: '/api/machine/reset', headers, payload: {} });
  expect((await reset()).json()).toMatchObject({ state: 'ready' });
  end?.();
  expect(lab.alice.learner.lab.status).toMatchObject({ state: 'ready' });
  expect(lab.alice.learner.lab.status.problem).toBeUndefined();
  await page.close();
});

test("another learner's terminal cannot be opened over the socket", async () => {
  const page = await TestPage.open(lab, lab.bob);
  const [terminal] = lab.alice.learner.lab.terminals;
  page.say({ type: 'terminal.open', terminal: terminal?.id ?? '', offset: 0, cols: 80, rows: 24 });
  expect(await page.heard('failure')).toMatchObject({ failure: { code: 'E_NOT_FOUND' }, about: terminal?.id });
  await page.close();
});
