/**
 * The lab without root and without containers: the real labd over a simulated machine and a local shell.
 *
 *     npm run dev -- --fake          then open the address it prints
 *
 * Knows: how labd is put together from stand-ins; `docker` in its shell talks to the simulated machine.
 * Does not know: isolation. The shell is yours, on this host, with your rights.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openPtyHost } from '@slipway/terminal';
import { pino } from 'pino';
import { startLab } from '../../labd/src/lab-daemon.ts';
import type { HostObserver, LabMachines, MachineHandle } from '../../labd/src/ports.ts';
import { SimulatedMachine } from './simulated-machine.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const SAMPLE_MS = 1000;

const directory = mkdtempSync(join(tmpdir(), 'slipway-fake-'));
let machine: SimulatedMachine | undefined;

/** `docker` of the shell: asks this process. */
const door = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => {
    body += chunk.toString();
  });
  request.on('end', () => {
    const args = JSON.parse(body) as string[];
    const answer = machine?.docker(args, ['docker', ...args].join(' ')) ?? { output: 'not ready', exitCode: 1 };
    response.end(JSON.stringify(answer));
  });
});
await new Promise<void>((done) => door.listen(0, '127.0.0.1', done));
const doorPort = (door.address() as AddressInfo).port;

mkdirSync(`${directory}/bin`);
writeFileSync(
  `${directory}/bin/docker`,
  `#!${process.execPath}
const answer = await fetch('http://127.0.0.1:${doorPort}', { method: 'POST', body: JSON.stringify(process.argv.slice(2)) });
const { output, exitCode } = await answer.json();
console.log(output);
process.exit(exitCode);
`,
);
chmodSync(`${directory}/bin/docker`, 0o755);
writeFileSync(`${directory}/bin/package.json`, '{"type":"module"}');
writeFileSync(`${directory}/bashrc`, `PS1='\\[\\e[1;34m\\]root@lab\\[\\e[0m\\]:\\w# '\nPATH=${directory}/bin:$PATH\n`);

const handle = (id: string): MachineHandle => ({
  id,
  initHostPid: process.pid,
  cgroupPrefix: {},
  labDir: `${directory}/machines/${id}/lab`,
});
const machines: LabMachines = {
  ensure: async (id) => {
    mkdirSync(`${directory}/machines/${id}/lab`, { recursive: true });
    return { ...handle(id), createdInMs: 1 };
  },
  reset: async (id) => ({ ...handle(id), createdInMs: 1 }),
  enterCommand: async () => ({
    file: '/bin/bash',
    args: ['--noprofile', '--rcfile', `${directory}/bashrc`, '-i'],
    env: { PATH: `${directory}/bin:/usr/bin:/bin`, TERM: 'xterm-256color', HOME: directory, LANG: 'C.UTF-8' },
  }),
  run: async () => ({ exitCode: 0, stdout: '', stderr: '' }),
  removeAll: async () => undefined,
};
const observer: HostObserver = {
  trace: { available: false, reason: 'this machine is simulated' },
  watch: (_machine, emit) => {
    const simulated = new SimulatedMachine(emit, () => Number(process.hrtime.bigint()) / 1e6);
    machine = simulated;
    const timer = setInterval(() => simulated.sample(), SAMPLE_MS);
    return { follow: () => undefined, stop: () => clearInterval(timer) };
  },
  close: async () => undefined,
};

const option = (name: string) => process.argv[process.argv.indexOf(name) + 1];
const port = process.argv.includes('--port') ? Number(option('--port')) : 4700;
const lab = await startLab(
  {
    host: '127.0.0.1',
    port,
    publicOrigin: undefined,
    devOrigin: process.argv.includes('--dev-origin') ? option('--dev-origin') : undefined,
    dataDir: `${directory}/data`,
    runDir: `${directory}/run`,
    cgroupParent: '',
    locale: 'en',
    limits: { memoryBytes: 1024 ** 3, cpus: 2, pids: 512 },
    loginCodeMs: 3_600_000,
    terminalsPerLearner: 4,
    logLevel: 'error',
  },
  {
    machines,
    observer,
    openPtyHost: (listener) =>
      openPtyHost({ socketPath: `${directory}/pty/host.sock`, logPath: `${directory}/pty.log`, idleMs: 5000 }, listener),
    facts: { version: '0.1.0', kernel: 'none', cgroupMode: 'hybrid' },
    webDir: resolve(import.meta.dirname, '../out'),
    contentDir: `${ROOT}/content`,
    labsDir: `${ROOT}/labs`,
    watchLessons: true,
    log: pino({ level: 'error' }),
  },
);
const end = () =>
  void lab.end().finally(() => {
    rmSync(directory, { recursive: true, force: true });
    process.exit(0);
  });
process.on('SIGTERM', end);
process.on('SIGINT', end);
process.stdout.write(`Slipway (simulated) is at ${lab.address()}\n`);
