/**
 * Finds the repository line that opened a span, so that a picture can link to the code that did it.
 *
 * Knows: V8's stack format, and that our sources live below `packages/` and `apps/`.
 * Does not know: where the repository stands on this machine; nothing before `packages/` is ever kept.
 */

const FRAME = /(?:^|[/\\])((?:packages|apps)\/[\w.@/-]{1,200}\.tsx?):(\d{1,7}):\d+\)?$/;

/**
 * `packages/engine/src/create.ts:40` for the first frame of `stack` that is neither this package's tracer nor a dependency.
 * Undefined where no frame is ours (bundled code, other engines).
 */
export function sourceOfStack(stack: string | undefined): string | undefined {
  for (const line of (stack ?? '').split('\n')) {
    const [, path, number] = FRAME.exec(line.trim()) ?? [];
    if (path !== undefined && !path.includes('node_modules/') && !path.startsWith('packages/journal/src/tracer.ts')) {
      return `${path}:${number}`;
    }
  }
  return undefined;
}
