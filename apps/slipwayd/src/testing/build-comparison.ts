/**
 * One Dockerfile built by our engine and by Debian's buildah, and what is otherwise in the two images.
 *
 * Both images lie in buildah's own storage in the end, so that one reader, and none of ours, shows their files.
 *
 * Knows: how each is asked, and what of an image counts.
 * Does not know: Dockerfiles (dockerfile-corpus.ts).
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { podmanFiles } from '../../../cli/src/runc/testing/engines.ts';
import { BUSYBOX_ARCHIVE, PeerPlace } from '../../../cli/src/runc/testing/peer-place.ts';
import type { DockerfileCase } from './dockerfile-case.ts';
import { TestDaemon } from './test-daemon.ts';

const SLIPWAY = fileURLToPath(new URL('../../../../bin/slipway', import.meta.url));
/** What `ADDRESS/file.txt` of a Dockerfile is. */
const SERVED = 'served\n';
/** What containers of either are given by their engine, and may have left a place to be mounted on for. */
const NOT_OF_THE_IMAGE = /^\/(dev|proc|sys|run)(\/|$)|^\/etc\/(hosts|hostname|resolv\.conf)$/;

/** One thing that the images have otherwise; absence is `undefined`. */
export interface Difference {
  /** `config.Env`, `/path` */
  readonly what: string;
  readonly ours: unknown;
  readonly theirs: unknown;
}

export class BuildComparison {
  readonly #daemon: TestDaemon;
  readonly #server: Server;
  readonly #place = new PeerPlace();
  readonly #peer = podmanFiles(this.#place);
  #count = 0;

  private constructor(daemon: TestDaemon, server: Server) {
    this.#daemon = daemon;
    this.#server = server;
  }

  static async start(): Promise<BuildComparison> {
    const server = createServer((request, reply) => (request.url === '/file.txt' ? reply.end(SERVED) : reply.writeHead(404).end()));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const daemon = await TestDaemon.start();
    const comparison = new BuildComparison(daemon, server);
    await daemon.down('SIGTERM');
    await daemon.up('--build-add-host', comparison.#host);
    await comparison.#buildah('pull', '-q', `docker-archive:${BUSYBOX_ARCHIVE}`);
    return comparison;
  }

  get #host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** @throws with the words of the one that failed */
  async compare(what: DockerfileCase): Promise<readonly Difference[]> {
    const number = this.#count++;
    const context = this.#writeContext(what, number);
    const [mine, peers] = [`ours-${number}`, `localhost/theirs-${number}`];
    const ignored = `${context}.Dockerfile`;
    fs.writeFileSync(ignored, this.#addressed(what.peerDockerfile ?? what.dockerfile));
    await Promise.all([this.#buildOurs(what, context, mine), this.#buildTheirs(what, context, ignored, peers)]);
    const [ours, theirs] = [await this.#read(`localhost/${mine}`), await this.#read(peers)];
    const names = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].sort();
    return names
      .filter((name) => JSON.stringify(ours[name]) !== JSON.stringify(theirs[name]))
      .map((name) => ({ what: name, ours: ours[name], theirs: theirs[name] }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#place.dispose();
    await this.#daemon.dispose();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #addressed(dockerfile: string): string {
    return dockerfile.replaceAll('ADDRESS', `http://${this.#host}`);
  }

  #writeContext({ dockerfile, files = {}, prepare }: DockerfileCase, number: number): string {
    const context = this.#place.path(`context-${number}`);
    for (const [name, text] of Object.entries({ ...files, Dockerfile: this.#addressed(dockerfile) })) {
      fs.mkdirSync(join(context, name, '..'), { recursive: true });
      fs.writeFileSync(join(context, name), text);
    }
    prepare?.(context);
    return context;
  }

  async #buildOurs({ flags = [] }: DockerfileCase, context: string, tag: string): Promise<void> {
    const env = { DOCKER_HOST: `unix://${this.#daemon.socket}` };
    const given = flags.map((flag) => flag.replace('src=', `src=${context}/`));
    await this.#place.must([SLIPWAY, 'build', '-q', ...given, '-t', tag, context], env);
    const archive = this.#place.path(`${tag}.tar`);
    const { code, stderr } = await this.#daemon.docker('save', '-o', archive, tag);
    if (code !== 0) throw new Error(stderr);
    await this.#buildah('pull', '-q', `docker-archive:${archive}`);
    fs.rmSync(archive);
  }

  async #buildTheirs({ flags = [] }: DockerfileCase, context: string, dockerfile: string, tag: string): Promise<void> {
    const given = flags.map((flag) => flag.replace('src=', `src=${context}/`));
    const how = ['--isolation', 'chroot', '--pull-never', '--format', 'docker', '-q', '-f', dockerfile, '-t', tag];
    await this.#buildah('bud', ...how, ...given, context);
  }

  async #buildah(...args: readonly string[]): Promise<string> {
    return (await this.#place.must([...this.#peer.buildah, ...args], this.#peer.env)).trim();
  }

  /** Everything that counts, by name. */
  async #read(image: string): Promise<Readonly<Record<string, unknown>>> {
    const { Docker } = JSON.parse(await this.#buildah('inspect', '--type', 'image', image));
    const podman = (verb: string) => this.#place.must([...this.#peer.podman, 'image', verb, image], this.#peer.env);
    const root = (await podman('mount')).trim();
    try {
      return { ...readConfig(Docker), ...readTree(root) };
    } finally {
      await podman('unmount');
    }
  }
}

/** What a container of the image would be given; lists that have no order are sorted. */
function readConfig({ author, config }: Readonly<Record<string, Record<string, unknown>>>): Record<string, unknown> {
  const { Env, Labels, ...rest } = config ?? {};
  const { 'io.buildah.version': _version, ...labels } = (Labels ?? {}) as Record<string, string>;
  const named = Object.entries({ ...rest, Env, Labels: labels, author })
    .filter(([name]) => !['Image', 'Hostname', 'Domainname', 'ArgsEscaped'].includes(name))
    .filter(([, value]) => !isEmpty(value));
  return Object.fromEntries(
    named.map(([name, value]) => [`config.${name}`, isMap(value) ? Object.fromEntries(Object.entries(value).sort()) : value]),
  );
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmpty(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    value === '' ||
    value === false ||
    (typeof value === 'object' && Object.keys(value).length === 0)
  );
}

/** By path: type and rights, owner, content or target, further names, attributes. */
function readTree(root: string): Record<string, unknown> {
  const attributes = readAttributes(root);
  const found: Record<string, unknown> = {};
  const look = (path: string): void => {
    const stat = fs.lstatSync(root + path);
    const content = stat.isFile() ? digestOf(root + path) : stat.isSymbolicLink() ? fs.readlinkSync(root + path) : '';
    if (path !== '' && !NOT_OF_THE_IMAGE.test(path))
      found[path] = [
        stat.mode.toString(8),
        `${stat.uid}:${stat.gid}`,
        content,
        stat.isDirectory() ? 1 : stat.nlink,
        attributes.get(root + path) ?? '',
      ];
    if (stat.isDirectory()) for (const name of fs.readdirSync(root + path)) look(`${path}/${name}`);
  };
  look('');
  return found;
}

function digestOf(path: string): string {
  return createHash('sha256').update(fs.readFileSync(path)).digest('hex').slice(0, 16);
}

function readAttributes(root: string): ReadonlyMap<string, string> {
  const flags = ['-R', '-P', '-h', '-d', '-m', '^(user|security)\\.', '-e', 'hex', '--absolute-names'];
  const blocks = execFileSync('getfattr', [...flags, root], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n\n');
  return new Map(
    blocks.map((block) => {
      const [head = '', ...lines] = block.trim().split('\n');
      return [head.replace('# file: ', ''), lines.sort().join(' ')];
    }),
  );
}
