/**
 * A lab process for tests that kill it: the real daemon and pty host over stand-in machines.
 *
 * Knows: its two arguments, DIRECTORY and PORT; ends as main.ts does, on SIGTERM.
 * Does not know: what is tested.
 */
import { openPtyHost } from '@slipway/terminal';
import { startLab } from '../lab-daemon.ts';
import { FACTS, silent, standInConfig, standInMachines, standInObserver } from './stand-in.ts';

const [directory = '', port = '0'] = process.argv.slice(2);
const ptyHost = { socketPath: `${directory}/run/pty/host.sock`, logPath: `${directory}/pty-host.log`, idleMs: 5000 };

const lab = await startLab(standInConfig(directory, Number(port)), {
  machines: standInMachines(directory, ['/usr/bin/unshare', '--mount', '--pid', '--fork', '--mount-proc', '--']),
  observer: standInObserver(),
  openPtyHost: (listener) => openPtyHost(ptyHost, listener),
  facts: FACTS,
  webDir: `${directory}/web`,
  contentDir: `${directory}/content`,
  labsDir: `${directory}/labs`,
  watchLessons: false,
  log: silent,
});
process.on('SIGTERM', () => void lab.end().then(() => process.exit(0)));
process.stdout.write(`Slipway is at ${lab.address()}\n`);
