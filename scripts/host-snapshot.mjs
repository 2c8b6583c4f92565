/**
 * What a test run could leave on a machine, counted before and after.
 *
 * Knows: mounts, cgroups, network links, loop devices, tracefs instances and processes of ours.
 * Does not know: who left them; the names in the report say.
 */

import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { ROOT } from './bootstrap/paths.mjs';

const TRACE_INSTANCES = ['/sys/kernel/tracing/instances', '/sys/kernel/debug/tracing/instances'];

export function snapshotHost() {
  return {
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[4] ?? ''),
    cgroups: directoriesBelow('/sys/fs/cgroup', 6).filter(isNoNeighbour()),
    links: list('/sys/class/net'),
    loops: list('/sys/block').filter((name) => name.startsWith('loop') && existsSync(`/sys/block/${name}/loop`)),
    traces: TRACE_INSTANCES.flatMap((dir) => list(dir)),
    processes: processesOfOurs(),
  };
}

/** Groups beside our own, where that is not at the top of its hierarchy, are made by whoever made ours. */
function isNoNeighbour() {
  const own = readFileSync('/proc/self/cgroup', 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.slice(line.indexOf(':', line.indexOf(':') + 1) + 1))
    .filter((path) => dirname(path) !== '/');
  return (directory) =>
    own.every((path) => {
      const at = `${directory}/`.indexOf(`${dirname(path)}/`);
      return at < 0 || `${directory}/`.slice(at).startsWith(`${path}/`) || directory.endsWith(dirname(path));
    });
}

/** @returns one line per thing that is there afterwards and was not before */
export function describeLeftovers(before, after) {
  return Object.keys(after).flatMap((kind) => {
    const known = new Map();
    for (const name of before[kind]) known.set(name, (known.get(name) ?? 0) + 1);
    return after[kind].flatMap((name) => {
      const count = known.get(name) ?? 0;
      known.set(name, count - 1);
      return count > 0 ? [] : [`${kind}: ${name}`];
    });
  });
}

/** Processes that run a program or script of this checkout, other than our own ancestors. */
function processesOfOurs() {
  const own = ancestors();
  return list('/proc')
    .filter((name) => /^\d+$/.test(name) && !own.has(Number(name)))
    .flatMap((pid) => {
      try {
        const program = readlinkSync(`/proc/${pid}/exe`);
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return program.includes('slipway') || line.includes(`${ROOT}/packages`) || line.includes(`${ROOT}/apps`)
          ? [`${line || program}`]
          : [];
      } catch {
        return [];
      }
    });
}

function ancestors() {
  const seen = new Set();
  for (let pid = process.pid; pid > 1 && !seen.has(pid); ) {
    seen.add(pid);
    pid = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  }
  return seen;
}

function directoriesBelow(dir, depth) {
  if (depth === 0) return [];
  try {
    return readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) => [`${dir}/${entry.name}`, ...directoriesBelow(`${dir}/${entry.name}`, depth - 1)]);
  } catch {
    return [];
  }
}

function list(dir) {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
