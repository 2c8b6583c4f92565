/**
 * One whole run of a document on a runtime, with the kernel's evidence taken while the container is made and has not begun.
 *
 * Knows: our runtime, and runc's command line, which crun has, too.
 * Does not know: what counts as evidence (evidence.ts).
 *
 * Another runtime's container is made twice: once for the evidence, once to run in the foreground, since only the program that
 * starts it learns its exit code.
 */
import type { ProcessView, WorkbenchRun } from '@slipway/contracts';
import { findText, type ProgramResult, runProgram } from '@slipway/kernel';
import { parseSpecJson, type RuntimeSpec } from '@slipway/oci';
import type { Births } from './births.ts';
import { makeBundle, WORKBENCH_DIR } from './bundle.ts';
import { findEvidence } from './evidence.ts';
import { toFailure, unusable } from './failures.ts';
import { type KernelFacts, readBegunFacts, readKernelFacts } from './kernel-facts.ts';
import { viewProcess } from './process-view.ts';

export interface RunRequest {
  readonly image: string;
  readonly config: string;
  readonly runtime: 'ours' | 'runc' | 'crun';
  readonly timeoutMs: number;
}

/** What the machine's own tools are, not the engine's name for its own runtime. */
const PROGRAMS = { runc: '/usr/bin/runc', crun: '/usr/bin/crun' } as const;
const OUTPUT_CHARS = 65_536;
const NOTHING: WorkbenchRun = {
  runtime: '',
  version: '',
  timedOut: false,
  stdout: '',
  stderr: '',
  operations: [],
  outcomes: [],
  evidence: [],
};

export async function runDocument(births: Births, page: number, request: RunRequest): Promise<WorkbenchRun> {
  const id = `run-${page}-${request.runtime}`;
  const run = request.runtime === 'ours' ? await runOurs(births, id, request) : await runPeer(id, request.runtime, request);
  return { ...run, runtime: request.runtime };
}

async function runOurs(births: Births, id: string, { image, config, timeoutMs }: RunRequest): Promise<WorkbenchRun> {
  const birth = await births.make(id, { image, config, without: { operations: [], namespaces: [] } });
  try {
    await birth.begin({ how: 'continue', breakpoints: [] });
    const { process, operations, outcomes, failure } = await birth.view();
    const base = { ...NOTHING, version: 'slipway', operations, outcomes };
    if (failure !== undefined) return { ...base, failure };
    const spec = parseSpecJson(config) as RuntimeSpec;
    const made = process && (await readKernelFacts(process.pid, spec, false));
    await birth.start();
    const seen = evidenceOf(spec, process, made && (await readBegunFacts(made, spec)));
    const ended = await birth.ended(timeoutMs);
    const { exitCode } = await birth.view();
    const { stdout, stderr } = await birth.output();
    return { ...base, ...seen, timedOut: !ended, stdout, stderr, ...(exitCode === undefined ? {} : { exitCode }) };
  } finally {
    await birth.undo();
  }
}

async function runPeer(id: string, runtime: 'runc' | 'crun', { image, config, timeoutMs }: RunRequest): Promise<WorkbenchRun> {
  const program = PROGRAMS[runtime];
  const version = await runProgram({ program, args: ['--version'] }).catch(() => {
    throw unusable(`${runtime} is not installed in this machine`, 'E_WORKBENCH_RUNTIME', 'run the document on another runtime');
  });
  const base = { ...NOTHING, version: version.stdout.split('\n')[0]?.slice(0, 200) ?? '' };
  const bundle = await makeBundle(id, image, config);
  const call = (args: readonly string[], limitMs = 20_000) => {
    const words = [program, '--root', `${WORKBENCH_DIR}/${runtime}`, ...args];
    // A container that is made and waits inherits the runtime's streams: as pipes, nobody would see their end.
    const detached = args.includes('create') ? ['/bin/sh', '-c', 'exec "$@" </dev/null >/dev/null 2>&1', 'sh'] : [];
    const [first = program, ...rest] = [...detached, ...words];
    return runProgram({ program: first, args: rest, cwd: bundle.path, timeoutMs: limitMs });
  };
  try {
    const created = await create(call, id, bundle.path);
    if ('failure' in created) return { ...base, failure: created.failure };
    const spec = parseSpecJson(config) as RuntimeSpec;
    const seen = evidenceOf(spec, await viewProcess(created.pid), await readKernelFacts(created.pid, spec, false));
    await call(['delete', '--force', id]);
    return { ...base, ...seen, ...(await runToEnd(call, id, bundle.path, timeoutMs)) };
  } finally {
    await call(['delete', '--force', id]).catch(() => undefined); // quiet about what is not there
    await bundle.remove();
  }
}

type Call = (args: readonly string[], limitMs?: number) => Promise<ProgramResult>;
type Failed = { readonly failure: { readonly code: string; readonly message: string } };

async function create(call: Call, id: string, bundle: string): Promise<{ readonly pid: number } | Failed> {
  const pidFile = `${bundle}/pid`;
  const log = `${bundle}/runtime.log`;
  const result = await call(['--log', log, 'create', '--bundle', bundle, '--pid-file', pidFile, id]).catch((error: unknown) =>
    toFailure(error),
  );
  if ('code' in result) return { failure: result };
  const pid = Number(await findText(pidFile, { maxBytes: 100 }));
  if (result.exitCode === 0 && pid > 1) return { pid };
  const said = ((await findText(log, { maxBytes: 65_536 })) ?? '').trim();
  return { failure: { code: 'E_WORKBENCH_RUN', message: said.slice(0, 1500) || `it ended with ${result.exitCode}` } };
}

async function runToEnd(call: Call, id: string, bundle: string, timeoutMs: number): Promise<Partial<WorkbenchRun>> {
  try {
    const { exitCode, stdout, stderr } = await call(['run', '--bundle', bundle, id], timeoutMs);
    return { exitCode, stdout: stdout.slice(0, OUTPUT_CHARS), stderr: stderr.slice(0, OUTPUT_CHARS) };
  } catch {
    return { timedOut: true };
  }
}

function evidenceOf(spec: RuntimeSpec, process: ProcessView | undefined, facts: KernelFacts | undefined): Partial<WorkbenchRun> {
  return { ...(process === undefined ? {} : { process }), evidence: facts === undefined ? [] : findEvidence(spec, facts) };
}
