/**
 * Benchmarks: ours and a peer in turn, on one machine, printed as a table with ratios.
 *
 *     npm run bench -- start [--rounds N]      how soon a container's first instruction runs
 *     npm run bench -- cli                     our runc command line against Debian's runc and crun, verb by verb
 *     npm run bench -- exec                    a further process in a running container, against its floor
 *     npm run bench -- seccomp                 the default profile's filter: its size, how long loading takes, and a call under it
 *     npm run bench -- crowd                   fifty containers started at once, against Debian's dockerd
 *     npm run bench -- build                   a Dockerfile of twenty steps, from nothing and with everything at hand
 *     npm run bench -- step-mode               what step mode costs a birth that nobody steps through
 *     npm run bench -- memory                  what an idle engine holds, and how long a lab machine takes
 *     npm run bench -- page                    how smooth the page stays with 200 containers in the journal
 *     npm run bench -- registry                pulling from our registry, against Debian's docker-registry
 *     npm run bench -- pull|unpack|push        (--only many-layers) images of four shapes, against Debian's containerd and skopeo
 *     npm run bench -- echo                    how soon what is typed shows, during a pull of 1 GiB
 *     npm run bench -- lazy                    how soon a container runs whose image is not here, pulled whole and lazily
 *     npm run bench -- large-layer             what a pull of a layer of 4 GiB makes our engine hold
 *
 * Knows: which benches there are.
 * Does not know: what any of them measures.
 */
import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly rounds: number;
  /** Part of the names of what is measured, of benches that measure several things; absent: all of them. */
  readonly only?: string;
}

type Bench = (options: BenchOptions) => Promise<void>;

/** Loaded when asked for: one bench's parts are no load on another's figures. */
const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  start: async () => (await import('./start.ts')).benchStart,
  cli: async () => (await import('./cli.ts')).benchCli,
  exec: async () => (await import('./exec.ts')).benchExec,
  seccomp: async () => (await import('./seccomp.ts')).benchSeccomp,
  crowd: async () => (await import('./crowd.ts')).benchCrowd,
  build: async () => (await import('./build.ts')).benchBuild,
  'step-mode': async () => (await import('./step-mode.ts')).benchStepMode,
  memory: async () => (await import('./memory.ts')).benchMemory,
  registry: async () => (await import('./registry.ts')).benchRegistry,
  pull: async () => (await import('./images.ts')).benchPull,
  unpack: async () => (await import('./images.ts')).benchUnpack,
  push: async () => (await import('./images.ts')).benchPush,
  echo: async () => (await import('./echo.ts')).benchEcho,
  lazy: async () => (await import('./lazy.ts')).benchLazy,
  'large-layer': async () => (await import('./large-layer.ts')).benchLargeLayer,
  page: async () => (await import('./page.ts')).benchPage,
};

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '40' }, only: { type: 'string' } },
  allowPositionals: true,
});
const name = positionals[0] ?? '';
const load = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
const rounds = Number(values.rounds);
if (load === undefined || !Number.isInteger(rounds) || rounds < 3) {
  process.stderr.write(
    `usage: npm run bench -- ${Object.keys(BENCHES).join('|')} [--rounds N] [--only PART-OF-A-NAME]      (N of 3 or more)\n`,
  );
  process.exit(2);
}
if (process.getuid?.() !== 0) {
  process.stderr.write('bench: containers need root: start it with sudo\n');
  process.exit(1);
}
await (await load())({ rounds, ...(values.only === undefined ? {} : { only: values.only }) });
