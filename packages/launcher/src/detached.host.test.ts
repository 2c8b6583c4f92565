/** Launches without a shim, as an OCI runtime's command line makes them: inherited streams, console socket, handed-on descriptors. */
import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { buildNative, isAlive, makeRig, openStart, type Rig, standardPlan } from './testing/rig.ts';

let rig: Rig;

beforeAll(() => {
  buildNative();
  rig = makeRig();
});
afterAll(() => rig[Symbol.dispose]());

const SCRIPT = `
  import { createLauncher } from '${new URL('./index.ts', import.meta.url).pathname}';
  const [plan, options] = JSON.parse(process.argv[1]);
  const { pid, exit } = await createLauncher().launch(plan, options);
  if (exit === undefined) process.stderr.write(String(pid));
  else process.exitCode = await exit;`;

// @attack A03: control, twin
hostTest('descriptors that were asked for arrive at 3 and up, and no others', ['linux', 'root'], async () => {
  writeFileSync(join(rig.dir, 'given'), 'handed on\n');
  const plan = standardPlan({ rootfs: rig.rootfs, args: ['sh', '-c', 'cat <&4; ls /proc/self/fd | wc -l'] });
  const options = { supervision: { mode: 'foreground', stdio: [0, 1, 2], preserveFds: 2 } };
  const command = `exec 3</dev/null 4<${join(rig.dir, 'given')}; exec "$0" "$@"`;
  const node = [process.execPath, '--input-type=module', '-e', SCRIPT, JSON.stringify([plan, options])];
  // Three streams, the two, and the one by which ls reads the directory.
  expect(execFileSync('sh', ['-c', command, ...node], { encoding: 'utf8' })).toBe('handed on\n6\n');
});

hostTest(
  'a detached container outlives the command that made it, and its terminal goes to the console socket',
  ['linux', 'root'],
  async () => {
    const socket = join(rig.dir, 'console.sock');
    // Node cannot receive descriptors; python3 plays the one who holds the terminal.
    const holder = spawn('python3', ['-u', '-c', RECEIVER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    let seen = '';
    holder.stdout.on('data', (bytes) => {
      seen += String(bytes);
    });
    await expect.poll(() => seen).toContain('listening');
    const startFifo = rig.fifo();
    const plan = standardPlan({ rootfs: rig.rootfs, args: ['sh', '-c', 'tty; sleep 0.2'], terminal: true, awaitStart: true });
    const options = { supervision: { mode: 'detached', stdio: [0, 1, 2], consoleSocket: socket }, startFifo };
    const maker = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT, JSON.stringify([plan, options])], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let pid = '';
    maker.stderr.on('data', (bytes) => {
      pid += String(bytes);
    });
    await new Promise((resolve) => maker.on('close', resolve));
    expect(isAlive(Number(pid))).toBe(true);
    openStart(startFifo);
    await expect.poll(() => seen).toContain('/dev/pts/0');
    await new Promise((resolve) => holder.on('close', resolve));
  },
);

const RECEIVER = `
import socket,os,sys,array
s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(1); print('listening')
c,_=s.accept(); _,fds,_,_=socket.recv_fds(c,64,1)
try:
  while True:
    b=os.read(fds[0],4096)
    if not b: break
    print(b.decode())
except OSError: pass
`;
