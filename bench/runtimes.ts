/**
 * Ours, Debian's runc and crun on one bundle.
 *
 * Knows: which of them there are, and what crun cannot stand: before 1.9 it refuses a host where v1 and v2 hierarchies are side by side.
 *   With it, everybody is measured where the second is out of sight, in a mount namespace of the bench's own.
 * Does not know: what is measured.
 */
import { readFileSync } from 'node:fs';
import { DEBIAN_CRUN, DEBIAN_RUNC, type OciRuntime, OUR_RUNC, prepareRuntime } from './bundles.ts';
import { EngineUnderTest } from './engine-under-test.ts';
import type { Workplace } from './workplace.ts';

export const OURS = 'ours';
export const RUNC = 'Debian’s runc';
export const CRUN = 'crun';

const UNIFIED = '/sys/fs/cgroup/unified';

/** Starts this program anew, in place of itself, if crun is there and this host is not for it. */
export function hideUnifiedHierarchy(): void {
  if (DEBIAN_CRUN === undefined || !readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${UNIFIED} `)) return;
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const unshare = ['/usr/bin/unshare', '--mount', '--propagation', 'private'];
  process.execve?.('/usr/bin/unshare', [...unshare, 'sh', '-c', `umount --lazy ${UNIFIED} && exec "$@"`, 'sh', ...again]);
}

/** Those that are installed and accept this host; the engine writes the document and leaves again. */
export async function prepareRuntimes(place: Workplace): Promise<ReadonlyMap<string, OciRuntime>> {
  const engine = await EngineUnderTest.start(place);
  const bundle = engine.bundleOf(await engine.create());
  await engine.stop();
  const programs = { [OURS]: OUR_RUNC, [RUNC]: DEBIAN_RUNC, [CRUN]: DEBIAN_CRUN };
  const runtimes = new Map<string, OciRuntime>();
  for (const [index, [name, program]] of Object.entries(programs).entries()) {
    const runtime = program === undefined ? undefined : prepareRuntime(place, `r${index}`, program, bundle);
    const reason = runtime === undefined ? 'it is not installed' : await whyNot(runtime);
    if (runtime !== undefined && reason === undefined) runtimes.set(name, runtime);
    else process.stderr.write(`${name} is left out: ${reason}\n`);
  }
  return runtimes;
}

async function whyNot(runtime: OciRuntime): Promise<string | undefined> {
  return await runtime.run().then(
    () => undefined,
    (error: unknown) => String(error),
  );
}
