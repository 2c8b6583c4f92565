/**
 * One `RUN`: a container on what the stage is so far, its output, and the layer of what it wrote.
 *
 * Knows: the container's life.
 * Does not know: Dockerfiles, or what its mounts are made of (run-binds.ts).
 */
import { EngineError } from '@slipway/errors';
import type { NewLayer } from '@slipway/images';
import type { SpanContext } from '@slipway/journal';
import type { BuildScope } from './build-scope.ts';
import { StepBinds, type StepMounts } from './run-binds.ts';
import type { RunMount } from './run-mounts.ts';
import type { StageState } from './stage-state.ts';

export interface RunRequest extends StepMounts {
  readonly state: StageState;
  readonly args: readonly string[];
  /** `NAME=value` of build arguments, beside the image's own environment. */
  readonly env: readonly string[];
  readonly parent: SpanContext;
}

const NO_LIMITS = {
  hostNamespaces: [],
  autoRemove: false,
  privileged: false,
  readonlyRootfs: false,
  capAdd: [],
  capDrop: [],
  noNewPrivileges: false,
  seccomp: 'default',
  resources: {},
  ulimits: [],
  sysctls: {},
  extraHosts: [],
  dns: [],
  dnsSearch: [],
  dnsOptions: [],
  groupAdd: [],
} as const;

/** @throws EngineError `failed-precondition` / `E_BUILD_COMMAND` when the command ends with anything but 0 */
export async function runStep(scope: BuildScope, run: RunRequest): Promise<NewLayer | undefined> {
  const { engine, images } = scope.parts;
  const { state, args, env, mounts, line, parent } = run;
  await images.making.unpack(state.layers);
  // Goes last, when nothing runs any more that uses it.
  await using made = await StepBinds.make(scope, run);
  const { binds } = made;
  const { config, history, created, platform } = state;
  const lent = images.lend({ config: { ...platform, config, history, created, diffIds: [] }, layers: state.layers, names: [] });
  let container: string | undefined;
  try {
    const tmpfs = Object.fromEntries(
      mounts.flatMap((mount) => (mount.type === 'tmpfs' ? [[mount.target, tmpfsOptions(mount)] as const] : [])),
    );
    const host = { ...NO_LIMITS, ...scope.request.limits, binds, tmpfs, network: scope.request.network };
    const streams = { tty: false, openStdin: false, stdinOnce: false };
    const request = { image: lent.id, entrypoint: args, command: [], env, ...streams, labels: {}, host, api: 'build' };
    container = (await engine.create(request, parent)).id;
    const code = await runToEnd(scope, container, parent);
    if (code !== 0) throw commandFailed(line, args, code);
    const mountPoints = [...binds.map(({ destination }) => destination), ...Object.keys(tmpfs), ...STANDARD_MOUNTS];
    // Where the layer says all of it, what the container wrote is the layer's snapshot as it stands.
    const asItStands = scope.latestMtime === undefined;
    const latest = scope.latestMtime === undefined ? {} : { latestMtime: scope.latestMtime };
    const packed = await images.making.packRootfs(container, { mountPoints, settle: asItStands, ...latest });
    const { layer, warnings } = packed;
    for (const warning of warnings) scope.request.onOutput(`warning: ${warning}\n`);
    if (layer !== undefined && asItStands && warnings.length === 0)
      await images.making.adoptRootfs(container, [...state.layers, layer], packed);
    return layer;
  } finally {
    lent.release();
    if (container !== undefined) await engine.remove(container, { force: true }, parent);
  }
}

/** Where every container has something mounted. */
const STANDARD_MOUNTS = ['/proc', '/dev', '/sys', '/etc/hosts', '/etc/hostname', '/etc/resolv.conf'];

async function runToEnd({ parts: { engine }, request }: BuildScope, id: string, parent: SpanContext): Promise<number> {
  const attachment = await engine.attach(id, { stdin: false, stdout: true, stderr: true });
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  attachment.onOutput((stream, bytes) => request.onOutput(decoders[stream].decode(bytes, { stream: true })));
  const stop = () => void engine.remove(id, { force: true }).catch(() => undefined);
  request.signal?.addEventListener('abort', stop, { once: true });
  try {
    const ended = engine.wait(id, 'next-exit');
    ended.catch(() => undefined); // a start that fails is what is told
    await engine.start(id, parent);
    const { code } = await ended;
    await attachment.ended;
    request.signal?.throwIfAborted();
    return code;
  } finally {
    request.signal?.removeEventListener('abort', stop);
    attachment.close();
  }
}

function tmpfsOptions({ sizeBytes }: RunMount & { type: 'tmpfs' }): string {
  return sizeBytes === undefined ? 'exec' : `exec,size=${sizeBytes}`;
}

function commandFailed(line: number, args: readonly string[], code: number): EngineError {
  const command = args.join(' ').slice(0, 300);
  return new EngineError('failed-precondition', `line ${line}: The command '${command}' returned a non-zero code: ${code}`, {
    code: 'E_BUILD_COMMAND',
    op: 'build.step',
    subject: String(line),
  });
}
