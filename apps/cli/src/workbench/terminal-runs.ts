/**
 * Runs of documents whose program wants a terminal: prepared by the agent, performed in a terminal that somebody else opens, looked at
 * by the agent meanwhile.
 *
 *     /run/slipway/workbench/terminals/<number>/config.json, rootfs/    the bundle
 *                                               runtime                 which runtime
 *                                               pid                     written by the runtime; there once the container is
 *
 * Knows: who removes the bundle: the run itself, at its end; or we, where no terminal took it.
 * Does not know: terminals. A run outlives the agent, as its terminal does.
 */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { constants } from 'node:os';
import type { WorkbenchRun } from '@slipway/contracts';
import { delay, findText, runProgram, writeFileAtomic } from '@slipway/kernel';
import { parseSpecJson, type RuntimeSpec } from '@slipway/oci';
import { makeBundle, openBundle, TERMINAL_BUNDLES, WORKBENCH_DIR } from './bundle.ts';
import { findEvidence } from './evidence.ts';
import { unusable } from './failures.ts';
import { readBegunFacts, readKernelFacts } from './kernel-facts.ts';
import { PEER_PROGRAMS, type PeerName, versionOf } from './peer.ts';
import { viewProcess } from './process-view.ts';
import { NOTHING_RUN } from './run.ts';

type RuntimeName = 'ours' | PeerName;
const PROGRAMS: Readonly<Record<RuntimeName, string>> = { ours: '/usr/lib/slipway/bin/runc', ...PEER_PROGRAMS };

/** How long a prepared run waits for a terminal, and a terminal for its container. */
const TAKEN_MS = 20_000;
const CONFIG_BYTES = 1_000_000;

export interface TerminalRunRequest {
  readonly image: string;
  readonly config: string;
  readonly runtime: RuntimeName;
}

/** Of this agent. */
export class TerminalRuns {
  /** Prepared, and no terminal has taken them yet. */
  readonly #waiting = new Map<number, NodeJS.Timeout>();

  async prepare({ image, config, runtime }: TerminalRunRequest): Promise<{ readonly run: number }> {
    if (runtime !== 'ours') await versionOf(runtime);
    const run = randomInt(1, 2 ** 31);
    const { path } = await makeBundle(String(run), image, config, TERMINAL_BUNDLES);
    await writeFileAtomic(`${path}/runtime`, runtime, { durable: false });
    this.#waiting.set(
      run,
      setTimeout(() => void this.#drop(run), TAKEN_MS),
    );
    return { run };
  }

  /** What the kernel shows of it once its program has begun. @throws `failed-precondition` / `E_WORKBENCH_RUN` when it never does */
  async look(run: number): Promise<WorkbenchRun> {
    const bundle = openBundle(String(run), TERMINAL_BUNDLES);
    const runtime = (await findText(`${bundle.path}/runtime`, { maxBytes: 100 })) as RuntimeName | undefined;
    const config = (await findText(`${bundle.path}/config.json`, { maxBytes: CONFIG_BYTES })) ?? '';
    const pid = await firstPid(bundle.path);
    if (runtime === undefined || pid === undefined) throw unusable('the run ended before it could be looked at', 'E_WORKBENCH_RUN');
    const version = runtime === 'ours' ? 'slipway' : await versionOf(runtime);
    const spec = parseSpecJson(config) as RuntimeSpec;
    const made = await readKernelFacts(pid, spec, false);
    const facts = made && (await readBegunFacts(made, spec));
    const process = await viewProcess(pid);
    const evidence = facts === undefined ? [] : findEvidence(spec, facts);
    return { ...NOTHING_RUN, runtime, version, evidence, ...(process === undefined ? {} : { process }) };
  }

  /** Those that no terminal has taken. */
  async close(): Promise<void> {
    for (const run of [...this.#waiting.keys()]) await this.#drop(run);
  }

  async #drop(run: number): Promise<void> {
    clearTimeout(this.#waiting.get(run));
    this.#waiting.delete(run);
    const bundle = openBundle(String(run), TERMINAL_BUNDLES);
    if ((await findText(`${bundle.path}/taken`, { maxBytes: 1 })) === undefined) await bundle.remove();
  }
}

async function firstPid(bundle: string): Promise<number | undefined> {
  for (const deadline = performance.now() + TAKEN_MS; performance.now() < deadline; ) {
    const pid = Number(await findText(`${bundle}/pid`, { maxBytes: 100 }));
    if (pid > 1) return pid;
    if ((await findText(`${bundle}/config.json`, { maxBytes: CONFIG_BYTES })) === undefined) return undefined;
    await delay(40);
  }
  return undefined;
}

/** In the terminal: the runtime in the foreground, then the bundle goes. @returns the program's exit code */
export async function performTerminalRun(run: number): Promise<number> {
  const bundle = openBundle(String(run), TERMINAL_BUNDLES);
  await writeFileAtomic(`${bundle.path}/taken`, '1', { durable: false });
  const runtime = (await findText(`${bundle.path}/runtime`, { maxBytes: 100 })) as RuntimeName;
  const program = PROGRAMS[runtime];
  const state = ['--root', `${WORKBENCH_DIR}/terminal-${runtime}`];
  const id = `terminal-${run}`;
  const end = () => runProgram({ program, args: [...state, 'delete', '--force', id] }).catch(() => undefined);
  // The terminal went: whatever the program thinks of that, its container goes, too. The other signals are its own affair.
  process.on('SIGHUP', () => void end());
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM'] as const) process.on(signal, () => undefined);
  const child = spawn(program, [...state, 'run', '--pid-file', `${bundle.path}/pid`, '--bundle', bundle.path, id], { stdio: 'inherit' });
  const code = await new Promise<number>((resolve) => {
    child.once('error', () => resolve(127));
    child.once('exit', (exitCode, signal) => resolve(exitCode ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
  await end();
  await bundle.remove();
  return code;
}
