/**
 * What can be said of a config.json without performing it: a fresh one, its issues, its plan.
 *
 * Knows: the paths a bundle of the workbench will have.
 * Does not know: what is valid (packages/oci) or how a plan is made (packages/runtime).
 */
import { detectCgroups, planCgroup } from '@slipway/cgroups';
import type { PlannedWrite, WorkbenchIssue, WorkbenchPlan } from '@slipway/contracts';
import { findEngineError } from '@slipway/errors';
import { defaultSpec, findSpecIssues, formatSpecJson, parseSpecJson, type RuntimeSpec, validateSpec } from '@slipway/oci';
import { detectHost, plan, type RuntimePlan } from '@slipway/runtime';
import { describePlan } from './describe-plan.ts';
import { inspectImage } from './engine-facts.ts';

/** A document for the image: what `runc spec` writes, with the image's program, environment and directory, and a cgroup namespace. */
export async function specFor(image: string): Promise<string> {
  const { args, env, cwd } = await inspectImage(image);
  const fresh = defaultSpec();
  const spec: RuntimeSpec = {
    ...fresh,
    hostname: 'workbench',
    process: {
      user: { uid: 0, gid: 0 },
      ...fresh.process,
      terminal: false,
      cwd,
      args: args.length > 0 ? args : ['sh'],
      ...(env.length > 0 ? { env } : {}),
    },
    linux: { ...fresh.linux, namespaces: [...(fresh.linux?.namespaces ?? []), { type: 'cgroup' }] },
  };
  return formatSpecJson(spec, '  ');
}

/** Stands for the group that a birth gets. */
const GROUP = 'workbench/birth';

/** Everything wrong with it, each at its place; text that is no JSON has one issue, for the whole document. */
export function validateText(config: string): readonly WorkbenchIssue[] {
  try {
    return findSpecIssues(parseSpecJson(config)).map(({ path, message }) => ({ pointer: path, message }));
  } catch (error) {
    return toIssues(error);
  }
}

/** The plan, or why there is none. */
export function planText(config: string): WorkbenchPlan {
  try {
    const spec = validateSpec(parseSpecJson(config));
    const { operations, warnings } = planSpec(spec);
    return { operations: describePlan(operations), writes: planWrites(spec), warnings: [...warnings], issues: [] };
  } catch (error) {
    return { operations: [], writes: [], warnings: [], issues: toIssues(error) };
  }
}

function planSpec(spec: RuntimeSpec): RuntimePlan {
  const host = detectHost(detectCgroups());
  const cgroup = (directory: string) => `/sys/fs/cgroup/${directory === '' ? '' : `${directory}/`}${GROUP}`;
  return plan(spec, {
    ...host,
    id: 'birth',
    bundle: '/run/slipway/workbench/birth',
    rootfs: '/run/slipway/workbench/birth/rootfs',
    procsFiles: host.cgroups.hierarchies.map(({ directory }) => `${cgroup(directory)}/cgroup.procs`),
    cgroupDirs: Object.fromEntries(host.cgroups.hierarchies.map(({ name, directory }) => [name, cgroup(directory)])),
  });
}

/** Limits go to control files, which is no operation of the birth: they stand there before the process joins. */
function planWrites({ linux }: RuntimeSpec): PlannedWrite[] {
  const host = detectCgroups();
  return planCgroup(linux?.resources, host).writes.map(({ hierarchy, file, value, pointer }) => {
    const place = host.hierarchies.find(({ name }) => name === hierarchy)?.mountPoint ?? '';
    return { pointer, path: `${place}/${GROUP}/${file}`, value };
  });
}

function toIssues(error: unknown): WorkbenchIssue[] {
  const known = findEngineError(error);
  if (known === undefined) throw error;
  if (known.issues.length > 0) return known.issues.map(({ path, message }) => ({ pointer: path, message }));
  return [{ pointer: known.subject?.startsWith('/') ? known.subject : '', message: known.message }];
}
