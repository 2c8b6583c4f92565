/**
 * Other engines, for the tests and benchmarks: unpacked from Debian's packages without installing them, because installing them
 * would start daemons on the host.
 *
 * Knows: which packages, and where they go.
 * Does not know: what runs them; the libraries they need are among the packages of debian-packages.mjs.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { STATE_DIR } from './paths.mjs';

export const peers = [
  unpacked('docker', ['docker.io', 'containerd'], ['usr/bin/docker', 'usr/sbin/dockerd', 'usr/bin/ctr']),
  unpacked('podman', ['podman', 'buildah', 'conmon'], ['usr/bin/podman', 'usr/bin/buildah', 'usr/bin/conmon']),
  unpacked('docker-registry', ['docker-registry'], ['usr/bin/docker-registry']),
  unpacked('runsc', ['runsc'], ['usr/bin/runsc']),
];

function unpacked(name, packages, results) {
  const dir = `${STATE_DIR}/peers/${name}`;
  return {
    name: `peer-${name}`,
    label: `fetch ${packages.join(', ')} to test against`,
    inputs: ['scripts/bootstrap/peers.mjs'],
    results: results.map((path) => `${dir}/${path}`),
    build: async (progress) => {
      rmSync(dir, { recursive: true, force: true });
      mkdirSync(`${dir}/download`, { recursive: true });
      await progress.command('apt-get', ['download', '-q', ...packages, '-o', 'APT::Sandbox::User=root'], { cwd: `${dir}/download` });
      for (const file of readdirSync(`${dir}/download`)) await progress.command('dpkg', ['-x', `${dir}/download/${file}`, dir]);
      rmSync(`${dir}/download`, { recursive: true, force: true });
    },
  };
}
