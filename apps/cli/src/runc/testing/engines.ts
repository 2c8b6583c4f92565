/**
 * Debian's containerd, dockerd and podman, told to use our runtime, behind one set of words.
 *
 * Knows: each one's flags for the same wish.
 * Does not know: what is tested.
 */
import { BUSYBOX_ARCHIVE, PeerPlace } from './peer-place.ts';
import type { Ended } from './test-runtime.ts';

export const MEMORY_BYTES = 64 * 1024 * 1024;

export interface ForeignEngine {
  /** A container in the foreground, gone afterwards. */
  run(command: readonly string[]): Promise<Ended>;
  runOnTerminal(line: string, command: readonly string[]): Promise<Ended>;
  /** A container in the background with {@link MEMORY_BYTES} of memory and half a CPU. */
  begin(name: string, command: readonly string[]): Promise<void>;
  pid(name: string): Promise<number>;
  status(name: string): Promise<'running' | 'paused' | 'stopped'>;
  exec(name: string, command: readonly string[]): Promise<Ended>;
  execOnTerminal(name: string, line: string, command: readonly string[]): Promise<Ended>;
  pause(name: string): Promise<void>;
  resume(name: string): Promise<void>;
  kill(name: string, signal: string): Promise<void>;
  /** Removes an ended container; its exit code. */
  remove(name: string): Promise<number>;
  /** Sets another memory limit; absent where the engine has no such command. */
  update?(name: string, bytes: number): Promise<void>;
}

export interface EngineUnderTest {
  readonly name: string;
  start(place: PeerPlace): Promise<ForeignEngine>;
}

export const ENGINES: readonly EngineUnderTest[] = [
  { name: 'containerd', start: startContainerd },
  { name: 'dockerd', start: startDockerd },
  { name: 'podman', start: startPodman },
];

async function startContainerd(place: PeerPlace): Promise<ForeignEngine> {
  const socket = place.path('containerd.sock');
  const config = [
    'version = 2',
    `root = "${place.path('root')}"`,
    `state = "${place.path('state')}"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.btrfs", "io.containerd.internal.v1.opt"]',
    `[grpc]\n  address = "${socket}"`,
    `[ttrpc]\n  address = "${socket}.ttrpc"`,
  ];
  const file = place.write('containerd.toml', `${config.join('\n')}\n`);
  await place.daemon(PeerPlace.program('containerd'), ['-c', file], socket);
  const ctr = [PeerPlace.program('ctr'), '-a', socket, '-n', place.name];
  await place.must([...ctr, 'image', 'import', BUSYBOX_ARCHIVE]);
  const image = 'docker.io/library/busybox:latest';
  const run = [...ctr, 'run', '--runc-binary', place.runtime];
  let count = 0;
  const row = async (id: string) =>
    (await place.must([...ctr, 'task', 'ls']))
      .split('\n')
      .map((line) => line.split(/\s+/))
      .find(([name]) => name === id) ?? [];
  return {
    run: (command) => place.run([...run, '--rm', image, `run-${count++}`, ...command]),
    runOnTerminal: (line, command) => place.onTerminal(line, [...run, '--rm', '-t', image, `run-${count++}`, ...command]),
    begin: async (name, command) => {
      const limits = ['--memory-limit', String(MEMORY_BYTES), '--cpus', '0.5'];
      await place.must([...run, '-d', ...limits, image, name, ...command]);
    },
    pid: async (name) => Number((await row(name))[1]),
    status: async (name) => (await row(name))[2]?.toLowerCase() as 'running' | 'paused' | 'stopped',
    exec: (name, command) => place.run([...ctr, 'task', 'exec', '--exec-id', `exec-${count++}`, name, ...command]),
    execOnTerminal: (name, line, command) =>
      place.onTerminal(line, [...ctr, 'task', 'exec', '-t', '--exec-id', `exec-${count++}`, name, ...command]),
    pause: async (name) => void (await place.must([...ctr, 'task', 'pause', name])),
    resume: async (name) => void (await place.must([...ctr, 'task', 'resume', name])),
    kill: async (name, signal) => void (await place.must([...ctr, 'task', 'kill', '-s', signal, name])),
    remove: async (name) => {
      const { stderr } = await place.run([...ctr, 'task', 'delete', name]);
      await place.must([...ctr, 'container', 'rm', name]);
      return Number(/exit with non-zero exit code (\d+)/.exec(stderr)?.[1] ?? 0);
    },
  };
}

async function startDockerd(place: PeerPlace): Promise<ForeignEngine> {
  const docker = await dockerdClient(place);
  await place.must([...docker, 'load', '-q', '-i', BUSYBOX_ARCHIVE]);
  return { ...dockerWords(place, docker, ['run', '--runtime', 'ours']) };
}

/** Starts dockerd without a bridge and iptables, so that nothing outside its own directories changes; its client's command line. */
export async function dockerdClient(place: PeerPlace): Promise<readonly string[]> {
  const socket = place.path('dockerd.sock');
  const own = ['--data-root', place.path('root'), '--exec-root', place.path('run'), '--pidfile', place.path('dockerd.pid')];
  const quiet = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'];
  const flags = [...own, ...quiet, '--storage-driver=overlay2', `--cgroup-parent=/${place.name}`, `--add-runtime=ours=${place.runtime}`];
  await place.daemon(PeerPlace.program('dockerd'), [...flags, '--host', `unix://${socket}`], socket);
  return [PeerPlace.program('docker'), '-H', `unix://${socket}`];
}

/** A machine that withholds CAP_SYS_RESOURCE does not let podman raise limits as it would by itself. */
async function startPodman(place: PeerPlace): Promise<ForeignEngine> {
  const { podman, env } = podmanFiles(place);
  await place.must([...podman, 'load', '-q', '-i', BUSYBOX_ARCHIVE], env);
  return dockerWords(place, podman, ['run', '--network', 'none', '--cgroup-parent', `/${place.name}`], env);
}

/** podman's and buildah's configuration, all of it below the place. */
export function podmanFiles(place: PeerPlace) {
  place.write('home/.config/containers/policy.json', '{"default":[{"type":"insecureAcceptAnything"}]}');
  const containers = place.write(
    'containers.conf',
    [
      '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]',
      `[engine]\nconmon_path = ["${PeerPlace.program('conmon')}"]\nevents_logger = "none"\nlock_type = "file"`,
    ].join('\n'),
  );
  const storage = place.write(
    'storage.conf',
    `[storage]\ndriver = "overlay"\ngraphroot = "${place.path('graph')}"\nrunroot = "${place.path('run')}"\n`,
  );
  const roots = ['--root', place.path('graph'), '--runroot', place.path('run')];
  const own = ['--tmpdir', place.path('tmp'), '--network-config-dir', place.path('net'), '--cgroup-manager', 'cgroupfs'];
  return {
    podman: [PeerPlace.program('podman'), ...roots, ...own, '--runtime', place.runtime],
    buildah: [PeerPlace.program('buildah'), ...roots],
    env: { CONTAINERS_CONF: containers, CONTAINERS_STORAGE_CONF: storage },
  };
}

function dockerWords(
  place: PeerPlace,
  client: readonly string[],
  run: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ForeignEngine {
  const must = async (...args: readonly string[]) => (await place.must([...client, ...args], env)).trim();
  const inspect = (name: string, format: string) => must('inspect', '-f', format, name);
  return {
    run: (command) => place.run([...client, ...run, '--rm', 'busybox', ...command], env),
    runOnTerminal: (line, command) => place.onTerminal(line, [...client, ...run, '--rm', '-it', 'busybox', ...command], env),
    begin: async (name, command) =>
      void (await must(...run, '-d', '--name', name, '--memory', String(MEMORY_BYTES), '--cpus', '0.5', 'busybox', ...command)),
    pid: async (name) => Number(await inspect(name, '{{.State.Pid}}')),
    status: async (name) => {
      const status = await inspect(name, '{{.State.Status}}');
      return status === 'running' || status === 'paused' ? status : 'stopped';
    },
    exec: (name, command) => place.run([...client, 'exec', name, ...command], env),
    execOnTerminal: (name, line, command) => place.onTerminal(line, [...client, 'exec', '-it', name, ...command], env),
    pause: async (name) => void (await must('pause', name)),
    resume: async (name) => void (await must('unpause', name)),
    kill: async (name, signal) => void (await must('kill', '-s', signal, name)),
    remove: async (name) => {
      const code = Number(await must('wait', name));
      await must('rm', name);
      return code;
    },
    update: async (name, bytes) => void (await must('update', '--memory', String(bytes), '--memory-swap', '-1', name)),
  };
}
