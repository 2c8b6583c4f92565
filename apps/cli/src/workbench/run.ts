/**
 * One whole run of a document on a runtime, with the kernel's evidence taken while the container is made and has not begun.
 *
 * Knows: our runtime, and another's (peer.ts).
 * Does not know: what counts as evidence (evidence.ts).
 *
 * Another runtime's container is made twice: once for the evidence, once to run in the foreground, since only the program that
 * starts it learns its exit code.
 */
import type { ProcessView, WorkbenchRun } from '@slipway/contracts';
import { parseSpecJson, type RuntimeSpec } from '@slipway/oci';
import type { Births } from './births.ts';
import { makeBundle } from './bundle.ts';
import { findEvidence } from './evidence.ts';
import { type KernelFacts, readBegunFacts, readKernelFacts } from './kernel-facts.ts';
import { Peer, type PeerName, versionOf } from './peer.ts';
import { viewProcess } from './process-view.ts';

export interface RunRequest {
  readonly image: string;
  readonly config: string;
  readonly runtime: 'ours' | PeerName;
  readonly timeoutMs: number;
}

const OUTPUT_CHARS = 65_536;
/** A run of which nothing is known yet. */
export const NOTHING_RUN: WorkbenchRun = {
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
    const base = { ...NOTHING_RUN, version: 'slipway', operations, outcomes };
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

async function runPeer(id: string, runtime: PeerName, { image, config, timeoutMs }: RunRequest): Promise<WorkbenchRun> {
  const base = { ...NOTHING_RUN, version: await versionOf(runtime) };
  const bundle = await makeBundle(id, image, config);
  const peer = new Peer(runtime, id, bundle.path);
  try {
    const created = await peer.create();
    if ('failure' in created) return { ...base, failure: created.failure };
    const spec = parseSpecJson(config) as RuntimeSpec;
    const seen = evidenceOf(spec, await viewProcess(created.pid), await readKernelFacts(created.pid, spec, false));
    await peer.delete();
    return { ...base, ...seen, ...(await runToEnd(peer, timeoutMs)) };
  } finally {
    await peer.delete().catch(() => undefined); // quiet about what is not there
    await bundle.remove();
  }
}

async function runToEnd(peer: Peer, timeoutMs: number): Promise<Partial<WorkbenchRun>> {
  try {
    const { exitCode, stdout, stderr } = await peer.run(timeoutMs);
    return { exitCode, stdout: stdout.slice(0, OUTPUT_CHARS), stderr: stderr.slice(0, OUTPUT_CHARS) };
  } catch {
    return { timedOut: true };
  }
}

function evidenceOf(spec: RuntimeSpec, process: ProcessView | undefined, facts: KernelFacts | undefined): Partial<WorkbenchRun> {
  return { ...(process === undefined ? {} : { process }), evidence: facts === undefined ? [] : findEvidence(spec, facts) };
}
