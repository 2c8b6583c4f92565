import type { ClientMessage, ServerMessage } from '@slipway/contracts';
import { ACK_EVERY_BYTES } from '@slipway/terminal/protocol';
import { expect, test } from 'vitest';
import { TerminalLink } from './terminal-link.ts';

type Opened = Extract<ServerMessage, { type: 'terminal.opened' }>;

function setup() {
  const sent: ClientMessage[] = [];
  const input: string[] = [];
  const drawn: string[] = [];
  const pendingDone: Array<() => void> = [];
  const link = new TerminalLink('t1', {
    wire: {
      send: (message) => sent.push(message) > 0,
      sendInput: (channel, offset, payload) => input.push(`${channel}@${offset}:${new TextDecoder().decode(payload)}`) > 0,
    },
    screen: {
      write: (bytes, done) => {
        drawn.push(typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes));
        pendingDone.push(done);
      },
      reset: () => drawn.push('<reset>'),
    },
    changed: () => {},
  });
  const settle = () => {
    for (const done of pendingDone.splice(0)) done();
  };
  return { link, sent, input, drawn, settle };
}

const opened = (more: Partial<Opened> = {}): Opened => ({
  type: 'terminal.opened',
  terminal: 't1',
  channel: 3,
  epoch: 'e1',
  role: 'owner',
  offset: 0,
  inputOffset: 0,
  cols: 80,
  rows: 24,
  ...more,
});
const bytes = (text: string) => new TextEncoder().encode(text);

test('what is typed before and during a lost connection arrives once', () => {
  const { link, input } = setup();
  link.open();
  link.type('a');
  link.opened(opened());
  link.type('b');
  link.lost();
  link.type('c');
  expect(input).toEqual(['3@0:a', '3@1:b']);
  link.opened(opened({ channel: 9, inputOffset: 2 }));
  expect(input.slice(2)).toEqual(['9@2:c']);
});

test('a reconnect asks for exactly what is missing and draws nothing twice', () => {
  const { link, sent, drawn } = setup();
  link.opened(opened());
  link.output(0, bytes('hello'));
  link.lost();
  link.open();
  expect(sent.at(-1)).toMatchObject({ type: 'terminal.open', offset: 5, epoch: 'e1' });
  link.opened(opened({ channel: 4, offset: 3 }));
  link.output(3, bytes('lo world'));
  expect(drawn).toEqual(['<reset>', 'hello', ' world']);
});

test('a snapshot replaces the screen, and its old questions are not answered', () => {
  const { link, drawn, input, settle } = setup();
  link.opened(opened({ snapshot: 'SCREEN\u001b[6n', offset: 900 }));
  expect(drawn).toEqual(['<reset>', 'SCREEN\u001b[6n']);
  expect(link.type('\u001b[1;1R')).toBe(false);
  expect(link.type('x')).toBe(true);
  settle();
  link.type('\u001b[1;1R');
  expect(input).toEqual(['3@0:x', '3@1:\u001b[1;1R']);
});

test('another epoch is another shell: nothing typed for the old one reaches it', () => {
  const { link, input } = setup();
  link.opened(opened());
  link.lost();
  link.type('reboot\r');
  link.opened(opened({ epoch: 'e2' }));
  expect(input).toEqual([]);
});

test('acknowledges only what was drawn, at least every window part', () => {
  const { link, sent, settle } = setup();
  link.opened(opened());
  link.output(0, new Uint8Array(ACK_EVERY_BYTES));
  expect(sent.filter((message) => message.type === 'terminal.ack')).toEqual([]);
  settle();
  expect(sent.at(-1)).toEqual({ type: 'terminal.ack', terminal: 't1', offset: ACK_EVERY_BYTES });
});

test('a viewer sends neither keys nor sizes', () => {
  const { link, sent, input } = setup();
  link.opened(opened({ role: 'viewer' }));
  link.type('x');
  link.resize(100, 30);
  expect(input).toEqual([]);
  expect(sent).toEqual([]);
});

test('a hole in the output asks again from where the page is', () => {
  const { link, sent } = setup();
  link.opened(opened());
  link.output(10, bytes('later'));
  expect(sent.at(-1)).toMatchObject({ type: 'terminal.open', offset: 0, epoch: 'e1' });
});
