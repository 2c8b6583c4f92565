/**
 * One executable, many names: picks the dialect by the name it was called as.
 *
 * Knows: which name speaks which dialect.
 * Does not know: any of them; each is loaded when it is called, because start-up time is felt at every prompt.
 *
 *     node main.ts NAME [arguments…]     (bin/NAME passes its own name, to start.cjs, which comes here where a source has changed)
 */
import { readEnvironment } from './config.ts';

/** What a dialect is called with. */
interface Call {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** CLOCK_MONOTONIC milliseconds at which we started. */
  readonly startedMs: number;
}

interface Dialect {
  /** Answers with the exit code. */
  readonly main: (call: Call) => Promise<number>;
}

const DIALECTS: Readonly<Record<string, () => Promise<Dialect>>> = {
  buildah: () => import('./buildah/main.ts'),
  docker: () => import('./docker/main.ts'),
  runc: () => import('./runc/main.ts'),
  skopeo: () => import('./skopeo/main.ts'),
  slipway: () => import('./slipway/main.ts'),
};

const [name = '', ...args] = process.argv.slice(2);
const load = Object.hasOwn(DIALECTS, name) ? DIALECTS[name] : undefined;
if (load === undefined) {
  process.stderr.write(`slipway: ${JSON.stringify(name)} is not a name of this program; it has: ${Object.keys(DIALECTS).join(', ')}\n`);
  process.exitCode = 125;
} else {
  const { main } = await load();
  process.exitCode = await main({
    args,
    environment: readEnvironment(),
    startedMs: Number(process.hrtime.bigint()) / 1e6 - performance.now(),
  });
}
