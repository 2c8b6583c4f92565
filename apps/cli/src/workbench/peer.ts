/**
 * Another runtime of the machine, with one bundle.
 *
 * Knows: runc's command line, which crun has, too.
 * Does not know: what it is called for.
 */
import { findText, type ProgramResult, runProgram } from '@slipway/kernel';
import { WORKBENCH_DIR } from './bundle.ts';
import { toFailure, unusable } from './failures.ts';

/** What the machine's own tools are, not the engine's name for its own runtime. */
export const PEER_PROGRAMS = { runc: '/usr/bin/runc', crun: '/usr/bin/crun' } as const;
export type PeerName = keyof typeof PEER_PROGRAMS;

/** First line of `--version`. @throws `failed-precondition` / `E_WORKBENCH_RUNTIME` */
export async function versionOf(runtime: PeerName): Promise<string> {
  const { stdout } = await runProgram({ program: PEER_PROGRAMS[runtime], args: ['--version'] }).catch(() => {
    throw unusable(`${runtime} is not installed in this machine`, 'E_WORKBENCH_RUNTIME', 'use another runtime');
  });
  return stdout.split('\n')[0]?.slice(0, 200) ?? '';
}

type Failed = { readonly failure: { readonly code: string; readonly message: string } };

export class Peer {
  readonly #program: string;
  readonly #state: string;
  readonly #id: string;
  readonly #bundle: string;

  constructor(runtime: PeerName, id: string, bundle: string) {
    this.#program = PEER_PROGRAMS[runtime];
    this.#state = `${WORKBENCH_DIR}/${runtime}`;
    this.#id = id;
    this.#bundle = bundle;
  }

  /** Everything but the program's start; its refusal is an answer, too. */
  async create(): Promise<{ readonly pid: number } | Failed> {
    const pidFile = `${this.#bundle}/pid`;
    const log = `${this.#bundle}/runtime.log`;
    // The container inherits the runtime's streams: as pipes, nobody would see their end.
    const silent = ['-c', 'exec "$@" </dev/null >/dev/null 2>&1', 'sh', this.#program];
    const result = await this.#run('/bin/sh', [
      ...silent,
      ...['--root', this.#state, '--log', log, 'create', '--bundle', this.#bundle, '--pid-file', pidFile, this.#id],
    ]).catch((error: unknown) => toFailure(error));
    if ('code' in result) return { failure: result };
    const pid = Number(await findText(pidFile, { maxBytes: 100 }));
    if (result.exitCode === 0 && pid > 1) return { pid };
    const said = ((await findText(log, { maxBytes: 65_536 })) ?? '').trim();
    return { failure: { code: 'E_WORKBENCH_RUN', message: said.slice(0, 1500) || `it ended with ${result.exitCode}` } };
  }

  async start(): Promise<void> {
    await this.#call(['start', this.#id]);
  }

  /** In the foreground, to the end. @throws when it takes longer */
  async run(timeoutMs: number): Promise<ProgramResult> {
    return await this.#call(['run', '--bundle', this.#bundle, this.#id], timeoutMs);
  }

  async delete(): Promise<void> {
    await this.#call(['delete', '--force', this.#id]);
  }

  #call(args: readonly string[], timeoutMs?: number): Promise<ProgramResult> {
    return this.#run(this.#program, ['--root', this.#state, ...args], timeoutMs);
  }

  #run(program: string, args: readonly string[], timeoutMs = 20_000): Promise<ProgramResult> {
    return runProgram({ program, args, cwd: this.#bundle, timeoutMs });
  }
}
