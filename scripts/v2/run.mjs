/**
 * `npm run test:v2 [-- --systemd]`: the engine on a host with cgroup v2 alone, in a virtual machine.
 *
 *     run.mjs ─ boots ─▶ inside/init.sh ─▶ inside/boot.sh ─▶ inside/main.ts: the checks, a line for each
 *             ◀────────────── second serial port ──────────────┘
 *
 * With `--systemd` only what comes after systemd has become the machine's first process.
 *
 * Knows: how to boot it without KVM, from a disk that nobody writes to, with the sources as they are now.
 * Does not know: what is checked.
 */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import process from 'node:process';
import { ROOT } from '../bootstrap/paths.mjs';
import { bringUpToDate } from '../bootstrap/prepare.mjs';
import { Progress } from '../bootstrap/progress.mjs';
import { MACHINE_DIR, MODULES, machineDisk, machineKernel, whyNoMachine } from '../bootstrap/virtual-machine.mjs';

const NO_QEMU = 'qemu-system-x86_64 does not start: install the package qemu-system-x86';
const TIMEOUT_MS = 1_500_000;
/** Of the checkout: what runs inside, without what only a browser or a build reads. */
const SOURCES = ['packages', 'apps/cli', 'apps/slipwayd', 'bin', 'scripts/v2/inside', 'package.json'];
const LEFT_OUT = ['packages/ui', 'packages/lessons', '*.test.ts', 'node_modules', 'slipway-launcher-test', 'fuzz-plan'];

const reason = whyNoMachine();
if (reason !== undefined) {
  process.stdout.write(`skipped: ${reason}\n`);
  process.exit(0);
}
const progress = new Progress();
await bringUpToDate([machineKernel, machineDisk], progress);

const dir = mkdtempSync(`${tmpdir()}/slipway-v2-`);
try {
  process.exitCode = await boot(makeInitramfs());
} finally {
  rmSync(dir, { recursive: true, force: true });
}

function makeInitramfs() {
  const tree = `${dir}/initramfs`;
  for (const name of ['bin', 'modules']) mkdirSync(`${tree}/${name}`, { recursive: true });
  cpSync('/usr/bin/busybox', `${tree}/bin/busybox`);
  cpSync(`${MACHINE_DIR}/kernel/modules`, `${tree}/modules`, { recursive: true });
  writeFileSync(`${tree}/modules/order`, MODULES.join('\n'));
  cpSync(`${ROOT}/scripts/v2/inside/init.sh`, `${tree}/init`);
  execFileSync('chmod', ['755', `${tree}/init`]);
  // Of the formats only this one keeps parts of seconds.
  const format = ['--format=posix', '--pax-option=delete=atime,delete=ctime'];
  execFileSync('tar', ['-C', ROOT, ...format, '-cf', `${tree}/sources.tar`, ...LEFT_OUT.map((name) => `--exclude=${name}`), ...SOURCES]);
  execFileSync('sh', ['-c', 'cd initramfs && find . | busybox cpio -o -H newc 2>/dev/null >../initramfs.cpio'], { cwd: dir });
  return `${dir}/initramfs.cpio`;
}

/** Resolves to the exit code: the checks' own, or 1 with the machine's console where they did not come to an end. */
async function boot(initramfs) {
  const machine = spawn('qemu-system-x86_64', flags(initramfs), { stdio: ['ignore', 'pipe', openSync(`${dir}/qemu.log`, 'w')] });
  const end = () => machine.kill('SIGKILL');
  const timer = setTimeout(end, TIMEOUT_MS);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, end);
  let last = '';
  let pending = '';
  machine.stdout.setEncoding('utf8').on('data', (text) => {
    const lines = (pending + text).split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) {
      if (!/^exit \d+$/.test(line)) process.stdout.write(`${line}\n`);
      last = line;
    }
  });
  await new Promise((resolve, reject) => machine.once('error', (cause) => reject(new Error(NO_QEMU, { cause }))).once('close', resolve));
  clearTimeout(timer);
  const code = /^exit (\d+)$/.exec(last)?.[1];
  if (code !== '0') process.stderr.write(`the machine's console:\n${read('qemu.log')}${read('console.log').slice(-8000)}\n`);
  return code === undefined ? 1 : Number(code);
}

function flags(initramfs) {
  return [
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-accel', 'tcg', '-cpu', 'max,pku=off'],
    // One CPU: emulated side by side, now and then V8 finds the book of its code pages in disorder and ends the process.
    ...['-smp', '1', '-m', '1536', '-kernel', `${MACHINE_DIR}/kernel/vmlinuz`, '-initrd', initramfs],
    ...['-append', `console=ttyS0 quiet panic=-1 ${process.argv.includes('--systemd') ? 'slipway.only-systemd' : ''}`],
    // Writes go to an unlinked temporary file.
    ...['-drive', `file=${MACHINE_DIR}/disk.img,if=virtio,format=raw,snapshot=on`],
    ...['-serial', `file:${dir}/console.log`, '-chardev', 'stdio,id=results,signal=off', '-serial', 'chardev:results'],
  ];
}

function read(name) {
  try {
    return readFileSync(`${dir}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
