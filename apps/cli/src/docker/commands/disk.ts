/** `docker system df`, `image prune`, `builder prune`: what is on disk, and what may go. */
import { parseFlags } from '../../flags.ts';
import { humanSize, table } from '../print.ts';
import type { Command } from './context.ts';

interface Usage {
  readonly LayersSize: number;
  readonly Images: readonly { readonly Containers: number; readonly Size: number; readonly SharedSize: number }[];
  readonly Containers: readonly { readonly State: string; readonly SizeRw: number }[];
  readonly BuildCache: readonly { readonly Size: number; readonly UsageCount: number }[];
}

export const df: Command = async ({ args, daemon, out }) => {
  parseFlags(args, {});
  const { LayersSize, Images, Containers, BuildCache } = await daemon.call<Usage>('GET', '/system/df');
  const unused = Images.filter(({ Containers: users }) => users === 0).reduce(
    (sum, { Size, SharedSize }) => sum + Size - Math.max(0, SharedSize),
    0,
  );
  const running = Containers.filter(({ State }) => State === 'running');
  const written = Containers.reduce((sum, { SizeRw }) => sum + SizeRw, 0);
  const kept = written - running.reduce((sum, { SizeRw }) => sum + SizeRw, 0);
  const steps = BuildCache.reduce((sum, { UsageCount }) => sum + UsageCount, 0);
  const cached = BuildCache.reduce((sum, { Size }) => sum + Size, 0);
  const rows: readonly (readonly [string, number, number, number, number])[] = [
    ['Images', Images.length, Images.filter(({ Containers: users }) => users > 0).length, LayersSize, unused],
    ['Containers', Containers.length, running.length, written, kept],
    ['Local Volumes', 0, 0, 0, 0],
    ['Build Cache', steps, 0, cached, cached],
  ];
  const cells = rows.map(([type, total, active, size, free]) => [type, String(total), String(active), humanSize(size), humanSize(free)]);
  out(table(['TYPE', 'TOTAL', 'ACTIVE', 'SIZE', 'RECLAIMABLE'], cells));
  return 0;
};

export const imagePrune: Command = async ({ args, daemon, out }) => {
  const flags = parseFlags(args, { all: { kind: 'switch', short: 'a' }, force: { kind: 'switch', short: 'f' } });
  const filters = encodeURIComponent(JSON.stringify({ dangling: [flags.has('all') ? 'false' : 'true'] }));
  const { ImagesDeleted, SpaceReclaimed } = await daemon.call<{
    ImagesDeleted: readonly { Untagged?: string; Deleted?: string }[] | null;
    SpaceReclaimed: number;
  }>('POST', `/images/prune?filters=${filters}`);
  for (const { Untagged, Deleted } of ImagesDeleted ?? [])
    out(Untagged === undefined ? `deleted: ${Deleted}\n` : `untagged: ${Untagged}\n`);
  out(`Total reclaimed space: ${humanSize(SpaceReclaimed)}\n`);
  return 0;
};

export const builderPrune: Command = async ({ args, daemon, out }) => {
  parseFlags(args, { all: { kind: 'switch', short: 'a' }, force: { kind: 'switch', short: 'f' } });
  const { SpaceReclaimed } = await daemon.call<{ SpaceReclaimed: number }>('POST', '/build/prune');
  out(`Total reclaimed space: ${humanSize(SpaceReclaimed)}\n`);
  return 0;
};
