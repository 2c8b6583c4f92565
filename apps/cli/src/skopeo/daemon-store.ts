/**
 * `docker-daemon:NAME` and `containers-storage:NAME`: the engine's store, through its socket.
 *
 * Knows: that the engine gives and takes archives of docker.
 * Does not know: archives (docker-archive.ts).
 */
import { createReadStream, mkdirSync, rmSync } from 'node:fs';
import { formatReference, parseReference } from '@slipway/oci';
import { type Daemon, openDaemon } from '../docker/daemon.ts';
import { UsageError } from '../flags.ts';
import { keep } from './blobs.ts';
import { openDockerArchiveDestination, openDockerArchiveSource } from './docker-archive.ts';
import { putTogether } from './tar-files.ts';
import type { ImageDestination, ImageSource, SideOptions, Surroundings } from './transport.ts';

export async function openDaemonSource(name: string, side: SideOptions, { environment, temporary }: Surroundings): Promise<ImageSource> {
  const archive = temporary();
  await keep(await connect(side, environment).stream('GET', `/images/${encodeURIComponent(name)}/get`), archive);
  const source = await openDockerArchiveSource(archive, undefined, temporary());
  return {
    ...source,
    close: async () => {
      await source.close();
      rmSync(archive, { force: true });
    },
  };
}

export function openDaemonDestination(name: string, side: SideOptions, { environment, temporary }: Surroundings): ImageDestination {
  const reference = parseReference(name);
  if (reference.digest !== undefined) throw new UsageError(`docker-daemon: an image is put there under a tag, not under a digest: ${name}`);
  const work = temporary();
  return openDockerArchiveDestination([formatReference(reference)], work, async (files) => {
    mkdirSync(work, { recursive: true });
    await putTogether(`${work}/archive`, files);
    const answer = await connect(side, environment).upload(
      '/images/load?quiet=1',
      'application/x-tar',
      createReadStream(`${work}/archive`),
    );
    const lines = Buffer.concat(await Array.fromAsync(answer as AsyncIterable<Buffer>)).toString();
    const failure = /"error":"((?:[^"\\]|\\.)*)"/.exec(lines)?.[1];
    if (failure !== undefined) throw new UsageError(`writing to the engine: ${failure}`);
  });
}

export async function deleteFromDaemon(name: string, side: SideOptions, { environment }: Surroundings): Promise<void> {
  await connect(side, environment).call('DELETE', `/images/${encodeURIComponent(name)}`);
}

function connect({ daemonHost }: SideOptions, environment: Surroundings['environment']): Daemon {
  const host = daemonHost ?? environment['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock';
  if (!host.startsWith('unix://')) throw new UsageError(`the engine is reached through a unix socket, not through ${host}`);
  return openDaemon({
    socketPath: host.slice('unix://'.length),
    command: 'skopeo',
    startedMs: Number(process.hrtime.bigint()) / 1e6,
  });
}
