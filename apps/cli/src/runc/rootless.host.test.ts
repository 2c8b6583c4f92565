/** An engine that is nobody: user 1000, with its own id alone or with ids allotted in /etc/subuid, in a mount namespace that says so. */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatSpecJson, type RuntimeSpec, type SpecIdMapping } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { eventually, OURS_AND_RUNC, type SpecChanges, TestRuntime } from './testing/test-runtime.ts';

const USER = 1000;
const ALLOTTED = 200_000;
const REPOSITORY = fileURLToPath(new URL('../../../..', import.meta.url));
const OWN: readonly SpecIdMapping[] = [{ containerID: 0, hostID: USER, size: 1 }];
const MANY: readonly SpecIdMapping[] = [...OWN, { containerID: 1, hostID: ALLOTTED, size: 65_536 }];

/** $1 a directory, then a command: run as the user, who has a name and allotted ids here, and reaches the repository wherever it is. */
const AS_USER = `set -e; dir=$1; shift
mount --make-rprivate /
cp /etc/passwd $dir/passwd; echo "slipway-test:x:${USER}:${USER}::/:/bin/sh" >> $dir/passwd
echo "slipway-test:${ALLOTTED}:65536" > $dir/subids
mount --bind $dir/passwd /etc/passwd
for file in /etc/subuid /etc/subgid; do mount --bind $dir/subids $file; done
mount --bind ${REPOSITORY} $dir/repository
exec setpriv --reuid ${USER} --regid ${USER} --clear-groups --inh-caps=-all "$@"`;

describe.each(OURS_AND_RUNC)('without root, by $name', (under) => {
  let runtime: TestRuntime;
  let dir = '';
  beforeAll(() => {
    runtime = new TestRuntime(under);
    dir = mkdtempSync(join(runtime.dir, 'rootless-'));
    chmodSync(dir, 0o755);
    mkdirSync(join(dir, 'repository'));
    mkdirSync(join(dir, 'state'));
    chownSync(join(dir, 'state'), USER, USER);
  });
  afterAll(() => runtime.dispose());

  const binary = () => (under.kind === 'ours' ? join(dir, 'repository/bin/runc') : under.binary);
  /** Output goes through files, since a container outlives the call with its streams. */
  const call = (...args: string[]) => {
    const files = ['out', 'err'].map((name) => join(dir, name));
    const fds = files.map((file) => openSync(file, 'w'));
    const words = ['-m', 'sh', '-c', AS_USER, 'sh', dir, binary(), '--root', join(dir, 'state'), ...args];
    const { status } = spawnSync('unshare', words, { stdio: ['ignore', ...fds], timeout: 60_000, killSignal: 'SIGKILL' });
    for (const fd of fds) closeSync(fd);
    const [stdout = '', stderr = ''] = files.map((file) => readFileSync(file, 'utf8'));
    return { status, stdout, stderr };
  };
  /** As `runc spec --rootless` writes it: no network of its own, no cgroups, /sys bound. */
  const bundle = (maps: readonly SpecIdMapping[], changes: SpecChanges = {}) => {
    const made = runtime.bundle({ ...changes, linux: { ...changes.linux, uidMappings: maps, gidMappings: maps } });
    const file = join(made, 'config.json');
    const spec = JSON.parse(readFileSync(file, 'utf8')) as RuntimeSpec;
    const { resources: _resources, ...linux } = spec.linux ?? {};
    const namespaces = ['user', 'mount', 'pid', 'ipc', 'uts'].map((type) => ({ type }));
    const mounts = (spec.mounts ?? [])
      .filter(({ destination }) => !destination.startsWith('/sys'))
      .map((mount) => ({ ...mount, options: (mount.options ?? []).filter((option) => !option.startsWith('gid=')) }));
    const sys = { destination: '/sys', type: 'none', source: '/sys', options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'] };
    const resources = changes.linux?.resources === undefined ? {} : { resources: changes.linux.resources };
    writeFileSync(file, formatSpecJson({ ...spec, mounts: [...mounts, sys], linux: { ...linux, namespaces, ...resources } }));
    chmodSync(made, 0o755);
    return made;
  };
  const shell = (line: string) => ({ process: { args: ['/bin/sh', '-c', line] } });
  const spaces = (text: string) => text.replaceAll(/ +/g, ' ');

  hostTest('root of the container is the user, who needs nobody for it', ['root'], async () => {
    const ended = call(
      'run',
      '--bundle',
      bundle(OWN, shell('id -u; cat /proc/self/uid_map; echo $$; touch /proc/self/comm; ls /dev/null')),
      runtime.newId(),
    );

    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(spaces(ended.stdout)).toBe(`0\n 0 ${USER} 1\n1\n/dev/null\n`);
  });

  // runc takes no further groups without root, whatever was allotted.
  hostTest('allotted ids are mapped by newuidmap and newgidmap, and any of them may be the user', ['root'], async () => {
    const process = {
      args: ['/bin/sh', '-c', 'id; cat /proc/self/gid_map'],
      user: { uid: 5, gid: 6, ...(under.kind === 'ours' ? { additionalGids: [7] } : {}) },
    };
    const ended = call('run', '--bundle', bundle(MANY, { process }), runtime.newId());

    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(spaces(ended.stdout)).toBe(`uid=5 gid=6${under.kind === 'ours' ? ' groups=7' : ''}\n 0 ${USER} 1\n 1 ${ALLOTTED} 65536\n`);
  });

  hostTest('what needs more than that is refused by name, and leaves nothing', ['root'], async () => {
    const stranger = [{ containerID: 0, hostID: 5, size: 1 }];
    const limited = { linux: { resources: { memory: { limit: 10_000_000 } } } };
    for (const [made, word] of [
      [bundle(stranger), /newuidmap|uid_map/],
      [bundle(OWN, limited), /memory|cgroup/],
    ] as const) {
      const id = runtime.newId();
      const refused = call('run', '--bundle', made, id);
      expect(refused.status).not.toBe(0);
      if (under.kind === 'ours') expect(refused.stderr).toMatch(word);
      expect(call('state', id).status).not.toBe(0);
    }
  });

  hostTest('its life: create, start, exec, kill, delete', ['root'], async () => {
    const id = runtime.newId();
    const made = bundle(MANY, { process: { args: ['/bin/sleep', '1000'], user: { uid: 5, gid: 6 } } });
    expect(call('create', '--bundle', made, id)).toMatchObject({ status: 0, stderr: '' });
    expect(call('start', id)).toMatchObject({ status: 0, stderr: '' });
    expect(call('exec', id, '/bin/id').stdout).toBe('uid=5 gid=6\n');
    expect(call('exec', '--user', '0:0', id, '/bin/sh', '-c', 'id -u; ls -d /proc/1').stdout).toBe('0\n/proc/1\n');
    expect(call('kill', id, 'KILL').status).toBe(0);
    await eventually(() => JSON.parse(call('state', id).stdout).status === 'stopped', 60_000);
    expect(call('delete', id).status).toBe(0);
    expect(call('state', id).status).not.toBe(0);
  });
});
