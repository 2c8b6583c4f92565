/**
 * Lab of lesson 8: the runtime spec, hands on.
 *
 * Knows: when each task is done, and answers that look right and are not; what is looked at is the container that the kernel has, not config.json.
 * Does not know: the lesson's words (content/), nor who evaluates it.
 */
import { type CheckResult, type CheckView, defineLab, failed, groupsNow, groupsSeen, ownProcesses, passed } from '@slipway/lessons';

type Own = ReturnType<typeof ownProcesses>[number];

/** A runtime's own program, which holds a created container open until it is started. */
const WAITING = /^(?:runc|crun|youki|slipway)\b/;
/** Passing through that state takes a moment; one that was told to wait does so for longer. */
const WAITS_MS = 700;
const MS_PER_TICK = 10;
const NO_RIGHTS = /^0+$/;

/** First processes of containers that somebody made with a runtime of their own, not through the engine. */
function firstProcesses(view: CheckView): readonly Own[] {
  return ownProcesses(view).filter(({ innerPid, container }) => innerPid === 1 && container !== undefined);
}

const isWaiting = ({ comm }: Own): boolean => WAITING.test(comm);

function seen(view: CheckView): string {
  const [first, ...more] = firstProcesses(view);
  if (first === undefined) return 'no container that was made with runc';
  const what = isWaiting(first) ? 'created and not started' : `running ${first.comm}`;
  return `the container ${first.container}, ${what}${more.length > 0 ? ` (and ${more.length} more)` : ''}`;
}

function create(view: CheckView): CheckResult {
  const nowMs = view.events.at(-1)?.atMs ?? 0;
  const found = firstProcesses(view).some(
    (process) => process.container === 'first' && isWaiting(process) && nowMs - Number(process.startTime) * MS_PER_TICK > WAITS_MS,
  );
  return found ? passed : failed(seen(view), 'a container called first that is created and waits to be started');
}

function start(view: CheckView): CheckResult {
  const found = firstProcesses(view).some((process) => process.container === 'first' && !isWaiting(process));
  return found ? passed : failed(seen(view), 'the container first, with its program running');
}

function killAndDelete(view: CheckView): CheckResult {
  const expected = 'the container first gone without a trace, after it ran';
  const ran = view.events.some(
    (event) =>
      event.type === 'processes' &&
      event.processes.some((process) => process.container === 'first' && process.innerPid === 1 && !isWaiting(process)),
  );
  if (!ran) return failed('no container first that has run', expected);
  if (ownProcesses(view).some(({ container }) => container === 'first')) return failed('first, and its process is alive', expected);
  const group = groupsNow(view).find(({ path }) => path.split('/').at(-1) === 'first');
  return group ? failed(`the control group ${group.path}, with nobody in it`, expected) : passed;
}

/** A started container, not the engine's, that has what a field of config.json asks for. */
function withProperty(view: CheckView, expected: string, what: { has(process: Own): boolean; lacks(process: Own): string }): CheckResult {
  const started = firstProcesses(view).filter((process) => !isWaiting(process));
  if (started.some((process) => what.has(process))) return passed;
  const last = started.at(-1);
  return failed(last === undefined ? seen(view) : `the container ${last.container} ${what.lacks(last)}`, expected);
}

function writable(view: CheckView): CheckResult {
  return withProperty(view, 'a container made with runc whose root file system can be written', {
    has: ({ root }) => root?.readOnly === false,
    lacks: () => 'with a read-only root',
  });
}

function limited(view: CheckView): CheckResult {
  const limits = new Map(groupsSeen(view).map(({ path, memoryLimitBytes }) => [path, memoryLimitBytes]));
  return withProperty(view, 'a container made with runc whose control group limits its memory', {
    has: ({ cgroup = '/' }) => limits.get(cgroup) !== undefined,
    lacks: ({ cgroup = '/' }) => `in the group ${cgroup}, with no limit on its memory`,
  });
}

function powerless(view: CheckView): CheckResult {
  const root = view.processes.find(({ pid }) => pid === 1)?.uid;
  return withProperty(view, 'a container made with runc whose first process is root and has no capability at all', {
    has: ({ rights, uid }) => uid === root && rights !== undefined && NO_RIGHTS.test(rights.effective),
    lacks: ({ rights, uid }) =>
      uid === root ? `with the capabilities ${rights?.effective ?? 'unknown'}` : 'whose first process is not root',
  });
}

function shared(view: CheckView): CheckResult {
  return withProperty(view, 'a container made with runc that has its own pids and the machine’s network', {
    has: ({ namespaces }) => namespaces.net !== undefined && namespaces.net === view.machineNamespaces.net,
    lacks: () => 'with a network namespace of its own',
  });
}

const FILES = 'mkdir -p ~/bundle/rootfs; cd ~/bundle; docker run --rm busybox tar -c bin etc home root tmp usr var | tar -x -C rootfs';
const edit = (change: string): string => `jq '${change}' config.json > new.json && mv new.json config.json`;
const NO_TERMINAL = edit('.process.terminal = false | .process.args = ["sleep", "1000"]');
const BUNDLE = [FILES, 'runc spec', NO_TERMINAL];
const WRITABLE = edit('.root.readonly = false');
const LIMITED = edit('.linux.resources.memory.limit = 33554432');
const POWERLESS = edit('.process.capabilities = {}');
const SHARED = edit('.linux.namespaces |= map(select(.type != "network"))');

export const lab = defineLab({
  lesson: 'the-runtime-spec-hands-on',
  setup: [],
  tasks: [
    {
      id: 'create',
      title: 'Create a container',
      check: create,
      latch: true,
      hints: [
        'A bundle is a directory with a root file system and a config.json. runc spec writes a config.json to begin with.',
        'With "terminal": true, runc wants to hand the terminal to somebody. Set it to false, and args to something that stays: ["sleep", "1000"].',
        'In the bundle: runc create first. If first exists already: runc delete -f first.',
      ],
      solution: [...BUNDLE, 'runc create first'],
    },
    {
      id: 'start',
      title: 'Start it',
      check: start,
      latch: true,
      hints: [
        'Creating makes everything and then waits. One more word lets the program begin.',
        'runc list shows which containers there are, and whether they are created or running.',
        'runc start first',
      ],
      solution: ['runc start first'],
    },
    {
      id: 'kill-and-delete',
      title: 'End it and clear it away',
      check: killAndDelete,
      latch: true,
      hints: [
        'Two things: the process has to end, and what the runtime keeps about the container has to go.',
        'runc kill sends a signal. sleep, as process 1, ignores TERM, so take KILL. Then runc delete.',
        'runc kill first KILL; sleep 1; runc delete first',
      ],
      solution: ['runc kill first KILL', 'sleep 1', 'runc delete first'],
    },
    {
      id: 'writable',
      title: 'A root that can be written',
      check: writable,
      latch: true,
      hints: [
        'Look at "root" near the end of the first part of config.json.',
        'Set "readonly" to false, with nano config.json or with jq, and run the bundle again under another name.',
        `${WRITABLE}; runc run -d second`,
      ],
      solution: [WRITABLE, 'runc run -d second'],
    },
    {
      id: 'limited',
      title: 'A limit on memory',
      check: limited,
      latch: true,
      hints: [
        'Limits stand under linux, resources. runc spec writes a rule for devices there and nothing else.',
        'Add "memory": { "limit": 33554432 } to resources; the number is bytes.',
        `${LIMITED}; runc run -d third`,
      ],
      solution: [LIMITED, 'runc run -d third'],
    },
    {
      id: 'powerless',
      title: 'Root without rights',
      check: powerless,
      latch: true,
      hints: [
        'What root may do stands under process, capabilities: five lists.',
        'A right that is in none of the lists is not there. Leave the user as it is: 0.',
        `${POWERLESS}; runc run -d fourth`,
      ],
      solution: [POWERLESS, 'runc run -d fourth'],
    },
    {
      id: 'shared',
      title: 'One namespace fewer',
      check: shared,
      latch: true,
      hints: [
        'linux, namespaces lists the kinds that the container gets for itself.',
        'A kind that is not in the list is shared with whoever started the runtime. Take network out.',
        `${SHARED}; runc run -d fifth`,
      ],
      solution: [SHARED, 'runc run -d fifth'],
    },
  ],
  decoys: [
    { name: 'a container of the engine', task: 'create', lines: ['docker create --name first busybox sleep 1000'] },
    { name: 'another name', task: 'create', lines: [...BUNDLE, 'runc create other'] },
    { name: 'created and left', task: 'start', lines: [...BUNDLE, 'runc create first'] },
    { name: 'through the engine', task: 'start', lines: ['docker run -d --name first busybox sleep 1000'] },
    {
      name: 'killed, not deleted',
      task: 'kill-and-delete',
      lines: [...BUNDLE, 'runc run -d first', 'sleep 1', 'runc kill first KILL'],
    },
    {
      name: 'deleted before it ever ran',
      task: 'kill-and-delete',
      lines: [...BUNDLE, 'runc create first', 'sleep 1', 'runc delete -f first'],
    },
    { name: 'as runc spec writes it', task: 'writable', lines: [...BUNDLE, 'runc run -d second'] },
    { name: 'through the engine', task: 'writable', lines: ['docker run -d --name second busybox sleep 1000'] },
    { name: 'no limit', task: 'limited', lines: [...BUNDLE, 'runc run -d third'] },
    { name: 'through the engine', task: 'limited', lines: ['docker run -d --name third -m 32m busybox sleep 1000'] },
    { name: 'three rights left', task: 'powerless', lines: [...BUNDLE, 'runc run -d fourth'] },
    {
      name: 'an ordinary user, who has none anyway',
      task: 'powerless',
      lines: [...BUNDLE, edit('.process.user = {"uid": 1000, "gid": 1000} | .process.capabilities = {}'), 'runc run -d fourth'],
    },
    { name: 'all five kinds', task: 'shared', lines: [...BUNDLE, 'runc run -d fifth'] },
    { name: 'through the engine', task: 'shared', lines: ['docker run -d --name fifth --network host busybox sleep 1000'] },
  ],
  quiz: [
    {
      id: 'what-waits',
      question: 'Between runc create and runc start, what is there?',
      options: [
        'A file that says what will be made at start',
        'A process in its finished namespaces, groups and root, which has not become the program yet',
        'The program, stopped by a signal',
      ],
      answer: 1,
      explanation: 'runc state prints a pid, and ps shows runc init under it. At start the same process, with the same pid, becomes sleep.',
    },
    {
      id: 'not-listed',
      question: 'A kind of namespace is missing from the list in config.json. What does the container get?',
      options: ['A new one all the same', 'An error at create', 'The one that the runtime itself was started in'],
      answer: 2,
      explanation:
        'You took network out, and readlink /proc/PID/ns/net gave the machine’s number. runc spec leaves out user, cgroup and time.',
    },
    {
      id: 'whose-image',
      question: 'Which field of config.json names the image?',
      options: ['root.path', 'ociVersion', 'None: the runtime knows a directory, not images'],
      answer: 2,
      explanation:
        'root.path names a directory that is there already. Turning images into directories is the engine’s work, before it calls a runtime.',
    },
  ],
});
