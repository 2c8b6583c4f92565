/**
 * A further process in a running container.
 *
 * Knows: what it takes over from the container and what a request may change.
 * Does not know: how namespaces are entered (packages/runtime).
 */
import { randomBytes } from 'node:crypto';
import { EngineError, Rollback } from '@slipway/errors';
import type { OpenSpan, SpanContext } from '@slipway/journal';
import { ensurePrivateDirectory, removeTree } from '@slipway/kernel';
import { attachShim, type Supervision } from '@slipway/launcher';
import type { SpecProcess } from '@slipway/oci';
import type { Attachment } from './attachment.ts';
import { traceBirth } from './birth-spans.ts';
import type { ExecConfig, ExecRecord } from './exec-table.ts';
import { containerEvent } from './facts.ts';
import { readInLayers } from './layered-root.ts';
import { requireAllowed } from './lifecycle.ts';
import type { LiveContainer } from './live-container.ts';
import { planCapabilities } from './plan-spec.ts';
import type { EngineContext } from './ports.ts';
import { resolveUser } from './resolve-user.ts';
import { bindAttachment } from './start.ts';
import { explainStartFailure } from './start-failure.ts';

/** Notes what is to be run; nothing runs yet. */
export function createExec(engine: EngineContext, container: LiveContainer, config: ExecConfig): { readonly id: string } {
  requireAllowed(container.record, 'exec');
  if (config.args.length === 0) {
    throw new EngineError('invalid-argument', 'No exec command specified', { code: 'E_CONTAINER_CONFIG', op: 'exec.create' });
  }
  const id = randomBytes(32).toString('hex');
  engine.execs.add({ id, container: container.id, config, status: 'created', pid: 0, exitCode: undefined, supervisor: undefined });
  containerEvent(engine, container, `exec_create: ${config.args.join(' ')}`, { execID: id });
  return { id };
}

export interface ExecSize {
  readonly rows: number;
  readonly columns: number;
}

/**
 * Starts it. The attachment (absent: detached) is connected before the process runs, so that no output is lost.
 *
 * @throws failed-precondition when it was started before or the container is not running; invalid-argument / E_COMMAND
 */
export async function startExec(
  engine: EngineContext,
  record: ExecRecord,
  options: { readonly attachment?: Attachment; readonly size?: ExecSize },
  parent?: SpanContext,
): Promise<void> {
  const container = engine.containers.get(record.container);
  requireAllowed(container.record, 'exec');
  if (record.status !== 'created') {
    throw new EngineError('failed-precondition', `exec ${record.id.slice(0, 12)} has already run`, {
      code: 'E_EXEC_STATUS',
      op: 'exec.start',
    });
  }
  record.status = 'running';
  const init = { actor: 'engine', name: 'exec.start', protocol: 'function call', container: container.id, parent } as const;
  await engine.tracer.span({ ...init, request: record.config }, (span) => launch({ engine, container, record }, options, span));
}

interface ExecWork {
  readonly engine: EngineContext;
  readonly container: LiveContainer;
  readonly record: ExecRecord;
}

async function launch(
  work: ExecWork,
  options: { readonly attachment?: Attachment; readonly size?: ExecSize },
  span: OpenSpan,
): Promise<void> {
  const { engine, container, record } = work;
  const shimDir = `${engine.paths.state}/execs/${record.id.slice(0, 32)}`;
  const rollback = new Rollback();
  try {
    await ensurePrivateDirectory(shimDir);
    // Once its end is followed, whoever follows removes it.
    let followed = false;
    rollback.defer('remove the shim directory', async () => (followed ? undefined : removeTree(shimDir)));
    const onReady = async () => {
      await connect(work, shimDir, options.attachment);
      followed = true;
    };
    const process = await planExecProcess(engine, container, record.config, options.size);
    await birth(work, process, { shimDir, parent: span, onReady });
    rollback.disarm();
    containerEvent(engine, container, `exec_start: ${record.config.args.join(' ')}`, { execID: record.id });
    engine.layersChanged(container.id);
  } catch (failure) {
    const { error, exitCode } = explainStartFailure(failure, record.config.args);
    record.status = 'exited';
    record.exitCode = exitCode === 128 ? 126 : exitCode;
    options.attachment?.close();
    await rollback.unwind(error);
  }
}

/** What the process is; absent fields are the container's own (packages/runtime fills them in). */
async function planExecProcess(
  engine: EngineContext,
  container: LiveContainer,
  config: ExecConfig,
  size: ExecSize | undefined,
): Promise<SpecProcess> {
  const own = (await engine.runtime.spec(container.id)).process;
  const user = config.user === undefined || config.user === '' ? own?.user : readExecUser(container, config.user);
  const { host } = container.record.request;
  const rights = { ...host, privileged: host.privileged || config.privileged };
  return {
    terminal: config.tty,
    ...(config.tty && size !== undefined ? { consoleSize: { height: size.rows, width: size.columns } } : {}),
    cwd: config.workingDir === undefined || config.workingDir === '' ? (own?.cwd ?? '/') : config.workingDir,
    env: mergeEnv(own?.env ?? [], config),
    args: config.args,
    ...(user === undefined ? {} : { user }),
    capabilities: planCapabilities(rights, user?.uid ?? 0),
    noNewPrivileges: host.noNewPrivileges,
    ...(own?.rlimits === undefined ? {} : { rlimits: own.rlimits }),
    ...(own?.oomScoreAdj === undefined ? {} : { oomScoreAdj: own.oomScoreAdj }),
  };
}

/** By the account files as the container has them at this moment; they are its root's, so they are read with the same care. */
function readExecUser(container: LiveContainer, user: string): NonNullable<SpecProcess['user']> {
  const root = [`/proc/${container.record.pid}/root/.`];
  const files = { passwd: readInLayers(root, '/etc/passwd') ?? '', group: readInLayers(root, '/etc/group') ?? '' };
  const { uid, gid, additionalGids } = resolveUser(user, files);
  return { uid, gid, additionalGids };
}

function mergeEnv(own: readonly string[], config: ExecConfig): readonly string[] {
  const merged = new Map<string, string>();
  const term = config.tty ? ['TERM=xterm'] : [];
  for (const entry of [...term, ...own, ...config.env]) merged.set(entry.split('=', 1)[0] ?? entry, entry);
  return [...merged.values()].filter((entry) => entry.includes('='));
}

interface Birth {
  readonly shimDir: string;
  readonly parent: SpanContext;
  /** Connects everybody while the process waits before its execve. */
  readonly onReady: () => Promise<void>;
}

async function birth({ engine, container, record }: ExecWork, process: SpecProcess, { shimDir, parent, onReady }: Birth): Promise<void> {
  const { tty, stdin } = record.config;
  // The exit record needs no log: nobody asks for an exec's output afterwards.
  const supervision: Supervision = { mode: 'shim', dir: shimDir, terminal: tty, openStdin: stdin, stdinOnce: true, logMaxBytes: 0 };
  const init = { actor: 'runtime', name: 'runtime.exec', protocol: 'function call', container: container.id, parent } as const;
  const { runtime } = container.record.request.host;
  await engine.tracer.span({ ...init, request: runtime === undefined ? process : { runtime, process } }, async (span) => {
    const onOperation = traceBirth({ tracer: engine.tracer, parent: span, container: container.id });
    const born = await engine.runtime.exec(container.id, { process, supervision, onOperation, onReady });
    record.pid = born.pid;
    span.note({ response: born, pid: born.pid });
  });
}

async function connect(work: ExecWork, shimDir: string, attachment: Attachment | undefined): Promise<void> {
  const { engine, container, record } = work;
  const supervisor = await attachShim(shimDir, { output: false });
  record.supervisor = supervisor;
  const finish = (exitCode: number) => {
    record.status = 'exited';
    record.exitCode ??= exitCode; // a start that failed knows better
    record.supervisor = undefined;
    supervisor.close();
    containerEvent(engine, container, 'exec_die', { execID: record.id, exitCode: String(exitCode) });
    engine.layersChanged(container.id);
  };
  const warn = (error: unknown) => engine.warn(`exec ${record.id.slice(0, 12)}: ${String(error)}`);
  // A killed shim takes the exit code with it; 255 is Docker's number for that.
  const noted = supervisor.exit.then(
    ({ exitCode }) => finish(exitCode),
    () => finish(255),
  );
  noted.then(() => removeTree(shimDir)).catch(warn);
  // A client asks for the exit code as soon as its stream ends; the two connections to the shim may end in either order.
  if (attachment !== undefined) await bindAttachment(attachment, shimDir, noted);
}
