/**
 * `linux.cgroupsPath` as the systemd driver spells it: `SLICE:PREFIX:NAME`.
 *
 * Knows: which unit that names, and where systemd puts it in the hierarchy.
 * Does not know: systemd's socket.
 *
 * @see systemd.slice(5), systemd.unit(5)
 */
import { EngineError } from '@slipway/errors';
import type { CgroupPlace } from '../cgroup-path.ts';

export interface ScopeName {
  /** `machine.slice`. */
  readonly slice: string;
  /** `libpod-0123.scope`. */
  readonly unit: string;
  /** Below the mount point: `/machine.slice/libpod-0123.scope`. */
  readonly path: string;
}

/** As systemd: letters, digits and these signs; no other name leads to a unit. */
const NAME = /^[\w:.\\-]+$/;
const NAME_MAX_BYTES = 255;

/** @throws EngineError `invalid-argument` / `E_CGROUP_PATH` */
export function parseScopeName({ cgroupsPath, id }: CgroupPlace): ScopeName {
  const text = cgroupsPath === undefined || cgroupsPath === '' ? `:slipway:${id}` : cgroupsPath;
  const [slice = '', prefix = '', name = '', ...more] = text.split(':');
  if (name === '' || more.length > 0) throw badPath(text, 'is not of the form SLICE:PREFIX:NAME');
  if (/\.slice$/.test(name)) throw badPath(text, 'names a slice, which holds no processes');
  const unit = `${prefix === '' ? '' : `${prefix}-`}${name.replace(/\.scope$/, '')}.scope`;
  if (!NAME.test(unit) || unit.length > NAME_MAX_BYTES) throw badPath(text, `makes ${JSON.stringify(unit)}, which is no name of a unit`);
  const parent = slice === '' ? 'system.slice' : slice;
  return { slice: parent, unit, path: `${slicePath(parent, text)}/${unit}` };
}

/** `a-b.slice` lies in `a.slice`; `-.slice` is the root. */
function slicePath(slice: string, text: string): string {
  if (slice === '-.slice') return '';
  const [, stem = ''] = /^(.+)\.slice$/.exec(slice) ?? [];
  const parts = stem.split('-');
  if (!NAME.test(slice) || parts.includes('') || slice.length > NAME_MAX_BYTES) {
    throw badPath(text, `begins with ${JSON.stringify(slice)}, which is no name of a slice`);
  }
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('-')}.slice`).join('');
}

function badPath(text: string, problem: string): EngineError {
  return new EngineError('invalid-argument', `cgroup path ${JSON.stringify(text.slice(0, 300))} ${problem}`, {
    code: 'E_CGROUP_PATH',
    op: 'cgroup.open',
    subject: '/linux/cgroupsPath',
    hint: 'with the systemd driver give a path such as "system.slice:slipway:my-container"',
  });
}
