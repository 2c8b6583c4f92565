/**
 * What a program wrote, out of its shim's log.
 *
 * Knows: the log's format, CRI's: `TIME stdout|stderr F|P text`, P for a line that goes on.
 * Does not know: the program.
 */
import { findText } from '@slipway/kernel';

export async function readShimLog(
  path: string,
  maxBytes: number,
): Promise<{ readonly all: string; readonly stdout: string; readonly stderr: string }> {
  const text = (await findText(path, { maxBytes: 2 * 1_048_576 })) ?? '';
  const streams = { all: '', stdout: '', stderr: '' };
  for (const line of text.split('\n')) {
    const [, stream, tag, content = ''] = /^\S+ (stdout|stderr) ([FP]) ?(.*)$/s.exec(line) ?? [];
    if (stream !== 'stdout' && stream !== 'stderr') continue;
    const written = tag === 'F' ? `${content}\n` : content;
    streams.all += written;
    streams[stream] += written;
  }
  return { all: streams.all.slice(0, maxBytes), stdout: streams.stdout.slice(0, maxBytes), stderr: streams.stderr.slice(0, maxBytes) };
}
