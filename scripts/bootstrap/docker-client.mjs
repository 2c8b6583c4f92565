/**
 * The real docker client, for the tests: unpacked from Debian's package without installing it, because
 * installing it would start a daemon on the host.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { STATE_DIR } from './paths.mjs';

const DIR = `${STATE_DIR}/peers/docker`;

export const dockerClient = {
  name: 'docker-client',
  label: 'fetch a docker client and daemon to test against',
  inputs: ['scripts/bootstrap/docker-client.mjs'],
  results: [`${DIR}/usr/bin/docker`],
  build: async (progress) => {
    rmSync(DIR, { recursive: true, force: true });
    mkdirSync(`${DIR}/download`, { recursive: true });
    await progress.command('apt-get', ['download', '-q', 'docker.io', 'containerd', '-o', 'APT::Sandbox::User=root'], {
      cwd: `${DIR}/download`,
    });
    for (const file of readdirSync(`${DIR}/download`)) await progress.command('dpkg', ['-x', `${DIR}/download/${file}`, DIR]);
    rmSync(`${DIR}/download`, { recursive: true, force: true });
  },
};
