/**
 * A build of twenty steps: ours, Debian's dockerd (its classic builder) and Debian's buildah in turn, on one context; once from nothing, once
 * with every step's result at hand.
 *
 * Ours and dockerd are asked by the same docker client. A tmpfs holds everybody's layers, so that no disk speaks for anybody.
 *
 * Knows: the Dockerfile, the context, and what we want to see.
 * Does not know: any builder.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { DEBIAN_RUNC } from './bundles.ts';
import { DebianDocker, findDockerClient } from './debian-docker.ts';
import { busyboxArchive, EngineUnderTest } from './engine-under-test.ts';
import type { BenchOptions } from './run.ts';
import { formatTable, formatTarget, Samples } from './table.ts';
import { CHECKOUT, timeProgram, Workplace } from './workplace.ts';

const WARM_UP = 1;
const OURS = 'ours';
const DOCKERD = 'Debian’s dockerd';
const BUILDAH = 'Debian’s buildah';
const BUILDAH_PROGRAM = `${CHECKOUT}/.slipway/peers/podman/usr/bin/buildah`;

/** Twenty instructions: eight commands, four copies, the rest configuration. */
const DOCKERFILE = `FROM busybox
LABEL what=bench
ENV A=1 B=2
WORKDIR /app
COPY one.txt /app/
RUN mkdir -p /var/cache/x /opt/y && echo a > /opt/y/a
COPY tree /app/tree
RUN find /app -type f | wc -l > /count
RUN for i in $(seq 200); do echo $i > /var/cache/x/$i; done
ENV C=3
COPY two.txt /app/
RUN head -c 2000000 /dev/zero | tr '\\0' x > /big
RUN rm /var/cache/x/1*
RUN echo $A $B $C > /env
EXPOSE 80
COPY tree/d0 /copied
RUN chmod -R go-w /app && ls -lR / > /list 2>/dev/null || true
RUN echo last > /last
USER 1000
CMD ["cat", "/last"]
`;

type BuildOnce = (tag: string, fromNothing: boolean) => Promise<number>;

export async function benchBuild({ rounds }: BenchOptions): Promise<void> {
  const place = new Workplace();
  const closers: (() => Promise<void>)[] = [];
  try {
    const context = makeContext(place);
    const builders = await openBuilders(place, context, closers);
    const samples = new Samples();
    for (let round = -WARM_UP; round < rounds; round++) {
      for (const [name, build] of builders) {
        const cold = await build(`bench:${round + WARM_UP}`, true);
        // The first cached build finds what the one before has just made.
        const cached = await build(`bench:${round + WARM_UP}`, false);
        const again = await build(`bench:${round + WARM_UP}`, false);
        if (round >= 0)
          for (const [what, ms] of [
            ['cold', cold],
            ['cached', Math.min(cached, again)],
          ] as const)
            samples.add(`${name}, ${what}`, ms);
      }
    }
    process.stdout.write(`${report(samples, [...builders.keys()])}\n${judge(samples)}`);
  } finally {
    for (const close of closers.reverse()) await close();
    place.dispose();
  }
}

function makeContext(place: Workplace): string {
  const context = place.path('context');
  for (let d = 0; d < 10; d++) {
    mkdirSync(`${context}/tree/d${d}`, { recursive: true });
    for (let f = 0; f < 30; f++) writeFileSync(`${context}/tree/d${d}/f${f}`, `file ${f} of ${d}\n`.repeat(40));
  }
  for (const name of ['one.txt', 'two.txt']) writeFileSync(`${context}/${name}`, name);
  writeFileSync(`${context}/Dockerfile`, DOCKERFILE);
  return context;
}

async function openBuilders(place: Workplace, context: string, closers: (() => Promise<void>)[]): Promise<ReadonlyMap<string, BuildOnce>> {
  const say = (reason: string) => void process.stderr.write(`${reason}\n`);
  const client = findDockerClient();
  if (client === undefined) throw new Error('no docker client: set DOCKER_CLIENT to the path of one');
  const builders = new Map<string, BuildOnce>();
  const engine = await EngineUnderTest.start(place);
  closers.push(() => engine.stop());
  builders.set(OURS, throughDocker(client, `unix://${engine.socket}`, context));
  const dockerd = await DebianDocker.start(place, client, say);
  if (dockerd !== undefined) {
    closers.push(() => dockerd.stop());
    await tryOut(DOCKERD, throughDocker(client, dockerd.host, context, ['--network', 'none']), builders, say);
  }
  const buildah = await openBuildah(place, context, say);
  if (buildah !== undefined) await tryOut(BUILDAH, buildah, builders, say);
  return builders;
}

/** A peer that cannot build here is left out with its own words. */
async function tryOut(name: string, build: BuildOnce, builders: Map<string, BuildOnce>, say: (reason: string) => void): Promise<void> {
  await build('bench:first', true).then(
    () => builders.set(name, build),
    (error: unknown) => say(`${name} is left out: ${error instanceof Error ? error.message.slice(-400) : String(error)}`),
  );
}

function throughDocker(client: string, host: string, context: string, more: readonly string[] = []): BuildOnce {
  return (tag, fromNothing) =>
    timeProgram(client, ['build', '-q', ...more, ...(fromNothing ? ['--no-cache'] : []), '-t', tag, context], {
      DOCKER_HOST: host,
      DOCKER_BUILDKIT: '0',
    });
}

async function openBuildah(place: Workplace, context: string, say: (reason: string) => void): Promise<BuildOnce | undefined> {
  if (!existsSync(BUILDAH_PROGRAM) || DEBIAN_RUNC === undefined) {
    say('Debian’s buildah is left out: it is not unpacked (`npm test` fetches it), or there is no runc');
    return undefined;
  }
  const home = place.path('home');
  mkdirSync(`${home}/.config/containers`, { recursive: true });
  writeFileSync(`${home}/.config/containers/policy.json`, '{"default":[{"type":"insecureAcceptAnything"}]}');
  writeFileSync(
    place.path('storage.conf'),
    `[storage]\ndriver = "overlay"\ngraphroot = "${place.path('graph')}"\nrunroot = "${place.path('run')}"\n`,
  );
  const env = { HOME: home, TMPDIR: place.directory, CONTAINERS_STORAGE_CONF: place.path('storage.conf') };
  const roots = ['--root', place.path('graph'), '--runroot', place.path('run')];
  await timeProgram(BUILDAH_PROGRAM, [...roots, 'pull', '-q', `docker-archive:${busyboxArchive(place)}`], env);
  const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];
  const how = ['--runtime', DEBIAN_RUNC, '--isolation', 'oci', '--network', 'none', '--pull-never', '--layers', ...limits];
  return (tag, fromNothing) =>
    timeProgram(
      BUILDAH_PROGRAM,
      [...roots, 'bud', '-q', ...how, ...(fromNothing ? ['--no-cache'] : []), '-t', tag, '-f', `${context}/Dockerfile`, context],
      env,
    );
}

function report(samples: Samples, names: readonly string[]): string {
  const rows = names.map((name) => {
    const cells = (['cold', 'cached'] as const).flatMap((what) => {
      const [value, ours] = [samples.median(`${name}, ${what}`), samples.median(`${OURS}, ${what}`)];
      return value === undefined || ours === undefined ? ['–', '–'] : [`${value.toFixed(0)} ms`, (ours / value).toFixed(2)];
    });
    return [name, ...cells];
  });
  return formatTable(['twenty steps', 'cold', 'ours ÷', 'cached', 'ours ÷'], rows);
}

function judge(samples: Samples): string {
  return [DOCKERD, BUILDAH]
    .flatMap((peer) =>
      (['cold', 'cached'] as const).map((what) => {
        const [ours, theirs] = [samples.median(`${OURS}, ${what}`), samples.median(`${peer}, ${what}`)];
        const ratio = ours === undefined || theirs === undefined ? undefined : ours / theirs;
        return formatTarget(`ours to ${peer}, ${what}`, ratio, 'at most 1.0', (value) => value <= 1);
      }),
    )
    .join('');
}
