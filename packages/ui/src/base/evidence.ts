/**
 * The proof of what a picture shows: kernel lines, control files, messages, and the command that shows the same in the terminal.
 *
 * Knows: where each fact can be read on the machine. Pure: same world and selection, same evidence.
 * Does not know: how it is shown (evidence-panel.tsx).
 */
import type { CgroupSample, NamespaceName, ProcessFact, Span, World, WorldContainer } from '@slipway/journal';
import { formatCommand, formatDuration, shortenId } from './format.ts';
import { actorKind, namespaceKind } from './kinds.ts';
import type { Selection } from './selection.ts';

export interface EvidenceLine {
  /** Where it stands, e.g. `/proc/812/status`. */
  readonly where: string;
  readonly line: string;
}

export interface Evidence {
  readonly title: string;
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly lines: readonly EvidenceLine[];
  /** Longer texts: payloads and arguments. */
  readonly payloads: readonly { readonly title: string; readonly text: string }[];
  /** Command lines that show the same; typed, never run, on a click. */
  readonly commands: readonly string[];
  /** Repository path and line of the code that did it. */
  readonly source?: string;
}

/** @returns undefined when the selected thing is not in this world */
export function evidenceFor(world: World, selection: Selection): Evidence | undefined {
  switch (selection.kind) {
    case 'process':
      return processEvidence(world, selection);
    case 'container':
      return containerEvidence(world, selection.id);
    case 'namespace':
      return namespaceEvidence(world, selection.name, selection.inode);
    case 'span':
      return spanEvidence(world, selection.id);
    case 'file':
      return fileEvidence(world, selection);
  }
}

/** Which container a selection belongs to, so that it is the selected one everywhere. */
export function containerOf(world: World, selection: Selection | undefined): string | undefined {
  switch (selection?.kind) {
    case 'container':
      return selection.id;
    case 'file':
      return selection.container;
    case 'process':
      return world.processes.find((entry) => entry.fact.pid === selection.pid && entry.fact.startTime === selection.startTime)?.fact
        .container;
    case 'span':
      return containerOfSpan(world, selection.id);
    case 'namespace':
      return containerOfNamespace(world, selection.name, selection.inode);
    case undefined:
      return undefined;
  }
}

function containerOfSpan(world: World, id: string): string | undefined {
  const trace = world.traces.find((candidate) => candidate.spans.some((span) => span.id === id));
  return trace?.spans.find((span) => span.id === id)?.container ?? trace?.spans.find((span) => span.container !== undefined)?.container;
}

/** Only where one container alone has it. */
function containerOfNamespace(world: World, name: NamespaceName, inode: number): string | undefined {
  const members = world.processes.filter((entry) => entry.goneAtMs === undefined && entry.fact.namespaces[name] === inode);
  const containers = new Set(members.map((entry) => entry.fact.container));
  return containers.size === 1 ? members[0]?.fact.container : undefined;
}

function processEvidence(world: World, wanted: { readonly pid: number; readonly startTime: string }): Evidence | undefined {
  const entry = world.processes.find(({ fact }) => fact.pid === wanted.pid && fact.startTime === wanted.startTime);
  if (!entry) return undefined;
  const { fact } = entry;
  const container = world.containers.find((candidate) => candidate.fact.id === fact.container);
  return {
    title: `${fact.comm}, pid ${fact.pid}`,
    facts: [
      ['command', formatCommand(fact.argv)],
      ...(fact.innerPid === undefined ? [] : [['pid inside', String(fact.innerPid)] as const]),
      ['user id', String(fact.uid)],
      ...(container ? [['container', container.fact.name] as const] : []),
      ...(entry.goneAtMs === undefined ? [] : [['ended', 'yes; shown for some seconds more, and in the timeline for good'] as const]),
    ],
    lines: processLines(fact),
    payloads: [],
    commands:
      entry.goneAtMs === undefined
        ? [`ps -o pid,ppid,user,args -p ${fact.pid}`, `ls -l /proc/${fact.pid}/ns`, `cat /proc/${fact.pid}/cgroup`]
        : ['ps -ef --forest'],
  };
}

function processLines(fact: ProcessFact): EvidenceLine[] {
  const path = `/proc/${fact.pid}`;
  const names = Object.entries(fact.namespaces) as [NamespaceName, number][];
  return [
    {
      where: `${path}/status`,
      line: `NSpid:  ${fact.pid}${fact.innerPid === undefined || fact.innerPid === fact.pid ? '' : `  ${fact.innerPid}`}`,
    },
    { where: `${path}/stat`, line: `${fact.pid} (${fact.comm}) ${fact.state ?? 'S'} ${fact.ppid} … field 22: ${fact.startTime}` },
    ...(fact.cgroup === undefined ? [] : [{ where: `${path}/cgroup`, line: fact.cgroup }]),
    ...names.map(([name, inode]) => ({ where: `${path}/ns/${name}`, line: `${name}:[${inode}]` })),
  ];
}

function containerEvidence(world: World, id: string): Evidence | undefined {
  const entry = world.containers.find((candidate) => candidate.fact.id === id);
  if (!entry) return undefined;
  const { fact } = entry;
  const sample = world.cgroups.find((cgroup) => cgroup.sample.container === id)?.sample;
  const mount = world.layers.find((layers) => layers.fact.container === id)?.fact.mountLine;
  return {
    title: `container ${fact.name}`,
    facts: containerFacts(entry),
    lines: [
      ...(mount === undefined ? [] : [{ where: `/proc/${fact.pid ?? 'PID'}/mountinfo`, line: mount }]),
      ...(sample ? cgroupLines(sample, fact.cgroups) : []),
    ],
    payloads: [],
    commands:
      fact.status === 'removed'
        ? ['docker ps -a']
        : [
            formatCommand(['docker', 'inspect', fact.name]),
            ...(fact.pid === undefined ? [] : [`cat /proc/${fact.pid}/cgroup`, `nsenter -t ${fact.pid} -m -p ps`]),
          ],
  };
}

function containerFacts({ fact }: WorldContainer): Evidence['facts'] {
  return [
    ['id', fact.id],
    ['image', fact.image],
    ['command', formatCommand(fact.command)],
    [
      'state',
      fact.exitCode === undefined
        ? fact.status
        : `${fact.status}, exit code ${fact.exitCode}${fact.oomKilled ? ', killed for memory' : ''}`,
    ],
    ...(fact.pid === undefined ? [] : [['pid', String(fact.pid)] as const]),
    ...(fact.shimPid === undefined ? [] : [['shim', String(fact.shimPid)] as const]),
    ...(fact.hostname === undefined ? [] : [['host name', fact.hostname] as const]),
    ['came by', fact.api],
  ];
}

/** Control files as read, with their directory where it is known. */
export function cgroupLines(sample: CgroupSample, directories: Readonly<Record<string, string>> = {}): EvidenceLine[] {
  return Object.entries(sample.files ?? {}).map(([file, content]) => {
    const controller = file.split('.')[0] ?? '';
    const directory = directories[controller] ?? directories['unified'] ?? sample.path;
    return { where: file.startsWith('/') ? file : `${directory}/${file}`, line: content.trim() };
  });
}

function namespaceEvidence(world: World, name: NamespaceName, inode: number): Evidence | undefined {
  const members = world.processes.filter((entry) => entry.goneAtMs === undefined && entry.fact.namespaces[name] === inode);
  const first = members[0];
  if (!first) return undefined;
  const kind = namespaceKind(name);
  return {
    title: `${kind.title} namespace ${inode}`,
    facts: [
      ['isolates', kind.isolates],
      ['made with', kind.flag],
      ['processes in it', String(members.length)],
    ],
    lines: members.slice(0, 8).map(({ fact }) => ({ where: `/proc/${fact.pid}/ns/${name}`, line: `${name}:[${inode}]` })),
    payloads: [],
    commands: [`readlink /proc/${first.fact.pid}/ns/${name}`, `lsns -t ${name}`],
  };
}

function spanEvidence(world: World, id: string): Evidence | undefined {
  const span = world.traces.flatMap((trace) => trace.spans).find((candidate) => candidate.id === id);
  if (!span) return undefined;
  return {
    title: span.name,
    facts: spanFacts(span),
    lines: span.operation ? [{ where: `config.json ${span.operation.pointer}`, line: span.operation.reason }] : [],
    payloads: [
      ...(span.operation ? [{ title: 'arguments', text: span.operation.args }] : []),
      ...(span.request === undefined ? [] : [{ title: 'request', text: span.request }]),
      ...(span.response === undefined ? [] : [{ title: 'answer', text: span.response }]),
    ],
    commands:
      span.actor === 'api' && span.name.startsWith('GET /') ? [`curl --unix-socket /run/docker.sock http://d${span.name.slice(4)}`] : [],
    ...(span.source === undefined ? {} : { source: span.source }),
  };
}

function spanFacts(span: Span): Evidence['facts'] {
  const { operation } = span;
  return [
    ['who', `${actorKind(span.actor).title}: ${actorKind(span.actor).does}`],
    ...(span.protocol === undefined ? [] : [['by', span.protocol] as const]),
    ['took', span.endMs === undefined ? 'still running' : formatDuration(span.endMs - span.startMs)],
    ...(operation
      ? ([
          ['operation', `${operation.index}: ${operation.op}`],
          ['phase', operation.phase],
          ['field', operation.pointer],
          ['why', operation.reason],
          ['errno', operation.errno === 0 ? '0, it worked' : String(operation.errno)],
          ...(operation.ahead ? [['made ahead', toldAhead(span.startMs, operation.ahead)] as const] : []),
        ] as const)
      : []),
    ...(span.pid === undefined ? [] : [['pid', String(span.pid)] as const]),
    ...(span.error === undefined ? [] : [['failed', `${span.error.code}: ${span.error.message}`] as const]),
  ];
}

/** What is left for a birth to do is short where the engine did most of it while it waited for somebody to ask. */
function toldAhead(startMs: number, ahead: { readonly startMs: number; readonly endMs: number }): string {
  return `in ${formatDuration(ahead.endMs - ahead.startMs)}, ${formatDuration(startMs - ahead.endMs)} before its turn`;
}

function fileEvidence(world: World, wanted: { readonly container: string; readonly path: string }): Evidence | undefined {
  const layers = world.layers.find((entry) => entry.fact.container === wanted.container)?.fact;
  const entry = layers?.upper.find((candidate) => candidate.path === wanted.path);
  if (!layers || !entry) return undefined;
  const name = world.containers.find((candidate) => candidate.fact.id === wanted.container)?.fact.name ?? shortenId(wanted.container);
  const place = `${layers.upperDirectory}${entry.path}`;
  return {
    title: entry.path,
    facts: [
      ['container', name],
      ['kind', entry.kind],
      ['size', `${entry.sizeBytes} bytes`],
    ],
    lines: [
      { where: 'in the writable layer', line: place },
      ...(layers.mountLine === undefined ? [] : [{ where: '/proc/PID/mountinfo', line: layers.mountLine }]),
    ],
    payloads: [],
    commands: [formatCommand(['ls', '-la', place]), formatCommand(['docker', 'diff', name])],
  };
}
