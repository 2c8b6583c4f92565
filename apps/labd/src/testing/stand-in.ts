/**
 * A lab for tests: real server, store, journal and feed over stand-ins for machines, observer and pty host.
 *
 * Knows: how to build one in a temporary directory and take it down.
 * Does not know: what is tested.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import type { Lab, LessonDocument } from '@slipway/lessons';
import type { AttachRequest, ChannelListener, TerminalSpec, TerminalState } from '@slipway/terminal';
import { pino } from 'pino';
import type { Config } from '../config.ts';
import type { EmitFromHost, HostObserver, LabMachines, MachineHandle, OpenPtyHost } from '../ports.ts';

export const FACTS = { version: '0.0.0', kernel: '6.0', cgroupMode: 'hybrid' } as const;
export const LIMITS = { memoryBytes: 1024, cpus: 1, pids: 10 };
/** Of a lab that keeps everything below `directory`; `port` 0: a free one. */
export function standInConfig(directory: string, port = 0): Config {
  return {
    host: '127.0.0.1',
    port,
    publicOrigin: undefined,
    devOrigin: undefined,
    dataDir: `${directory}/data`,
    runDir: `${directory}/run`,
    cgroupParent: '',
    locale: 'en',
    limits: LIMITS,
    loginCodeMs: 60_000,
    terminalsPerLearner: 4,
    logLevel: 'error',
  };
}

export const silent = pino({ level: 'silent' });

export function temporaryDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'labd-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Machines that are directories; commands run on this host, as they are or behind `prefix`. They outlive the object, as real ones do. */
export function standInMachines(directory: string, prefix: readonly string[] = []): LabMachines & { readonly ran: string[] } {
  const known = new Set<string>();
  const ran: string[] = [];
  const make = (id: string): MachineHandle => {
    const labDir = `${directory}/machines/${id}/lab`;
    const found = known.has(id) || !made(labDir);
    known.add(id);
    const handle = { id, initHostPid: process.pid, cgroupPrefix: {}, labDir };
    return found ? handle : { ...handle, createdInMs: 1 };
  };
  return {
    ran,
    ensure: async (id) => make(id),
    reset: async (id) => {
      rmSync(`${directory}/machines/${id}`, { recursive: true, force: true });
      known.delete(id);
      return make(id);
    },
    enterCommand: async (_id, argv) => {
      const [file = '', ...args] = [...prefix, ...argv];
      return { file, args, env: { PATH: '/usr/bin:/bin', TERM: 'xterm-256color', HOME: '/', PS1: '$ ' } };
    },
    run: async (_id, argv) => {
      ran.push(argv.join(' '));
      return { exitCode: 0, stdout: '', stderr: '' };
    },
    removeAll: async () => rmSync(`${directory}/machines`, { recursive: true, force: true }),
  };
}

function made(labDir: string): boolean {
  try {
    mkdirSync(join(labDir, '..'), { recursive: true });
    mkdirSync(labDir, { mode: 0o755 });
    return true;
  } catch {
    return false;
  }
}

/** An observer that reports what the test tells it to. */
export function standInObserver(): HostObserver & { readonly emit: Map<string, EmitFromHost>; readonly end: Map<string, () => void> } {
  const emit = new Map<string, EmitFromHost>();
  const end = new Map<string, () => void>();
  return {
    emit,
    end,
    trace: { available: false, reason: 'a test' },
    watch: (machine, emitFromHost, onEnd) => {
      emit.set(machine.id, emitFromHost);
      end.set(machine.id, onEnd);
      return { follow: () => {}, stop: () => {} };
    },
    record: () => Promise.reject(new Error('nothing is recorded in this test')),
    close: async () => {},
  };
}

/** A pty host without processes: every terminal stands at offset 0 and echoes what is typed. */
export const standInPtyHost: OpenPtyHost = async () => {
  const terminals = new Map<string, TerminalState>();
  let channels = 0;
  return {
    create: async ({ id, title, labels, cols, rows }: TerminalSpec) => {
      const terminal = { id, title, labels, cols, rows, pid: process.pid };
      terminals.set(id, terminal);
      return terminal;
    },
    list: async () => [...terminals.values()],
    close: async (id) => void terminals.delete(id),
    attach: (_id, { cols, rows }: AttachRequest, listener: ChannelListener) => {
      channels += 1;
      setImmediate(() => listener.positioned({ epoch: 'e', offset: 0, inputOffset: 0, cols, rows, snapshot: '' }));
      return { number: channels, type: () => {}, acknowledge: () => {}, resize: () => {}, detach: () => {} };
    },
    disconnect: () => {},
    shutdown: async () => {},
  };
};

const TEXT = (text: string) => ({ kind: 'text', text }) as const;

/** A lesson with an act (latched), a state (not latched) and a question. */
export const LESSON: { readonly document: LessonDocument; readonly lab: Lab } = {
  document: {
    meta: { number: '01', slug: 'first', title: 'First', summary: 'A lesson', track: 'A track', minutes: 5, panels: [], claims: [] },
    body: [{ kind: 'element', tag: 'p', props: {}, children: [TEXT('Run a container.')] }],
    tasks: [
      { id: 'run', title: 'Run it', hintCount: 3 },
      { id: 'keep', title: 'Keep it', hintCount: 3 },
    ],
    quiz: [{ id: 'q', question: 'What is it?', options: ['a process', 'a machine'] }],
    glossary: {},
  },
  lab: {
    lesson: 'first',
    setup: ['touch /prepared'],
    tasks: [
      {
        id: 'run',
        title: 'Run it',
        latch: true,
        hints: ['look', 'use', 'type'],
        solution: ['docker run x'],
        check: (view) => (view.everSeen.length > 0 ? { passed: true } : { passed: false, saw: 'nothing', expected: 'a container' }),
      },
      {
        id: 'keep',
        title: 'Keep it',
        latch: false,
        hints: ['a', 'b', 'c'],
        solution: [],
        check: (view) => (view.containers.length > 0 ? { passed: true } : { passed: false, saw: 'none', expected: 'one' }),
      },
    ],
    decoys: [],
    quiz: [{ id: 'q', question: 'What is it?', options: ['a process', 'a machine'], answer: 0, explanation: 'ps shows it' }],
  },
};

/** A page of one file and its hashed script. */
export function writePage(directory: string): string {
  const web = `${directory}/web`;
  mkdirSync(`${web}/_next/static`, { recursive: true });
  writeFileSync(`${web}/index.html`, '<!doctype html><title>Slipway</title>');
  writeFileSync(`${web}/_next/static/app-0123.js`, 'void 0;');
  writeFileSync(`${web}/_next/static/app-0123.js.map`, '{}');
  writeFileSync(`${web}/_next/static/app-0123.js.br`, brotliCompressSync('void 0;'));
  writeFileSync(`${web}/404.html`, '<!doctype html><title>Nothing here</title>');
  writeFileSync(`${web}/csp.json`, JSON.stringify({ scripts: ['sha256-AAAA'] }));
  writeFileSync(`${web}/.env`, 'SECRET=1');
  return web;
}
