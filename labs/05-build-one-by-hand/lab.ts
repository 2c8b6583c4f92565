/**
 * Lab of lesson 5: build one by hand.
 *
 * Knows: when each task is done, and answers that look right and are not; what counts is the process that is there and how it came to be.
 * Does not know: the lesson's words (content/), nor who evaluates it.
 */
import {
  apartIn,
  apartInWords,
  type CheckResult,
  type CheckView,
  callsMade,
  defineLab,
  descent,
  failed,
  groupsSeen,
  ownProcesses,
  passed,
  processInWords,
} from '@slipway/lessons';
import { ESCAPE, INSIDE, NO_MKDIR, writeLine } from './scripts.ts';

type Own = ReturnType<typeof ownProcesses>[number];

/** A runtime pivots as well; this lesson is about doing it oneself. */
const RUNTIME = /^(?:runc|crun|slipway)/;
const NO_RIGHTS = /^0+$/;
const WHOLE = ['mnt', 'pid', 'uts', 'ipc', 'net'] as const;

function chrooted(view: CheckView): readonly Own[] {
  return ownProcesses(view).filter(({ root }) => root !== undefined && root.directory !== '/');
}

function aRoot(view: CheckView): CheckResult {
  const expected = 'a process outside containers whose root directory is another than the machine’s';
  if (chrooted(view).length > 0) return passed;
  const last = ownProcesses(view).findLast(({ comm }) => comm !== 'bash');
  return failed(last ? `${processInWords(last)}, whose root is the machine’s` : 'no process but shells', expected);
}

/** Pids in the machine of callers of chroot(2), with how often they or those they descend from called it. */
function chrootCalls(view: CheckView): (pid: number) => number {
  const made = callsMade(view, 'chroot').filter(({ call }) => !RUNTIME.test(call.comm));
  const lines = descent(view);
  return (pid) => {
    const line = new Set(lines.ofMachinePid(pid));
    return made.filter(({ call }) => line.has(call.hostPid)).length;
  };
}

function breakOut(view: CheckView): CheckResult {
  const expected = 'a process that was in a chroot, called chroot once more, and has the machine’s own root now';
  const calls = chrootCalls(view);
  const free = ownProcesses(view).filter((process) => process.root === undefined && !apartIn(view, process).includes('mnt'));
  if (free.some(({ pid }) => calls(pid) > 1)) return passed;
  const [inside] = chrooted(view);
  return failed(inside ? `${processInWords(inside)}, still below ${inside.root?.directory}` : 'nobody who has left a chroot', expected);
}

/** Processes in a mount and a pid namespace of their own whose family pivoted and then let go of the old root. */
function pivoted(view: CheckView): readonly Own[] {
  const lines = descent(view);
  const pivots = callsMade(view, 'pivot_root').filter(({ call }) => !RUNTIME.test(call.comm));
  const umounts = callsMade(view, 'umount');
  return ownProcesses(view).filter((process) => {
    if (process.innerPid !== 1 || !apartIn(view, process).includes('mnt')) return false;
    const isFamily = (hostPid: number) => lines.ofHostPid(hostPid).includes(lines.ofMachinePid(process.pid)[0] ?? -1);
    const pivot = pivots.find(({ call }) => isFamily(call.hostPid));
    return pivot !== undefined && umounts.some(({ call, atMs }) => atMs > pivot.atMs && isFamily(call.hostPid));
  });
}

function pivot(view: CheckView): CheckResult {
  const expected = 'process 1 of a pid namespace, whose root was exchanged with pivot_root and the old root unmounted';
  if (pivoted(view).length > 0) return passed;
  const first = ownProcesses(view).find(({ innerPid }) => innerPid === 1);
  if (first === undefined) return failed('no process outside containers that is number 1 of a pid namespace', expected);
  const did = callsMade(view, 'pivot_root').length > 0 ? 'and an old root still mounted' : 'and nobody calling pivot_root';
  return failed(`${processInWords(first)} with ${apartInWords(apartIn(view, first))}, ${did}`, expected);
}

/** Escape was tried by somebody inside: two chroots in one process there, which lead nowhere else. */
function locked(view: CheckView): CheckResult {
  const expected = 'the escape tried in a box that was made with pivot_root';
  const boxes = pivoted(view);
  if (boxes.length === 0) return failed('no box made with pivot_root', expected);
  const lines = descent(view);
  const inits = new Set(boxes.flatMap(({ pid }) => lines.ofMachinePid(pid).slice(0, 1)));
  const tries = Map.groupBy(callsMade(view, 'chroot'), ({ call }) => call.hostPid);
  const tried = [...tries].some(([hostPid, made]) => made.length > 1 && lines.ofHostPid(hostPid).some((pid) => inits.has(pid)));
  return tried ? passed : failed(`${processInWords(boxes[0] as Own)} in its box, where nobody has tried to escape`, expected);
}

function limitOf(view: CheckView, { cgroup = '/' }: Own): number | undefined {
  return cgroup === '/' ? undefined : groupsSeen(view).find(({ path }) => path === cgroup)?.memoryLimitBytes;
}

function limits(view: CheckView): CheckResult {
  const expected = 'process 1 of a pid namespace, outside the engine’s containers, in a control group with a limit on memory';
  const firsts = ownProcesses(view).filter(({ innerPid }) => innerPid === 1);
  if (firsts.some((process) => limitOf(view, process) !== undefined)) return passed;
  const [first] = firsts;
  if (first === undefined) return failed('no process outside containers that is number 1 of a pid namespace', expected);
  return failed(`${processInWords(first)} in the group ${first.cgroup ?? '/'}, which has no limit of its own`, expected);
}

function rights(view: CheckView): CheckResult {
  const expected = 'a process outside containers that is root and has no capability at all';
  const machine = view.processes.find(({ pid }) => pid === 1);
  const powerless = ownProcesses(view).filter((process) => NO_RIGHTS.test(process.rights?.effective ?? 'unknown'));
  if (powerless.some(({ uid }) => uid === machine?.uid)) return passed;
  const [other] = powerless;
  return failed(other ? `${processInWords(other)} without any, who is not root` : 'nobody without capabilities', expected);
}

function isFiltered(view: CheckView, process: Own): boolean {
  const machine = view.processes.find(({ pid }) => pid === 1)?.rights?.seccompFilters ?? 0;
  return (process.rights?.seccompFilters ?? 0) > machine;
}

function filter(view: CheckView): CheckResult {
  const own = ownProcesses(view);
  if (own.some((process) => isFiltered(view, process))) return passed;
  const careful = own.find((process) => process.rights?.noNewPrivileges);
  return failed(
    careful ? `${processInWords(careful)}, which can gain no rights, and has no filter` : 'nobody with a filter besides the machine’s own',
    'a process outside containers with one seccomp filter more than the machine has',
  );
}

function whole(view: CheckView): CheckResult {
  const expected = 'one process outside the engine’s containers with all of it';
  const [box] = pivoted(view);
  if (box === undefined) return failed('no box made with pivot_root', expected);
  const missing = (process: Own): readonly string[] => {
    const kinds = apartIn(view, process);
    return [
      ...WHOLE.filter((kind) => !kinds.includes(kind)).map((kind) => `a ${kind} namespace of its own`),
      ...(limitOf(view, process) === undefined ? ['a limit on memory'] : []),
      ...(NO_RIGHTS.test(process.rights?.effective ?? 'unknown') ? [] : ['having no capabilities']),
      ...(isFiltered(view, process) ? [] : ['a seccomp filter']),
    ];
  };
  const boxes = pivoted(view).toSorted((a, b) => missing(a).length - missing(b).length);
  const best = boxes[0] ?? box;
  const lacks = missing(best);
  return lacks.length === 0 ? passed : failed(`${processInWords(best)} in its box, which lacks ${lacks.join(', ')}`, expected);
}

const FILES = [
  'cd ~/box; mkdir -p rootfs; docker run --rm busybox tar -c bin etc home root tmp usr var | tar -x -C rootfs; mkdir rootfs/proc rootfs/old',
  "export LC_ALL=C; cp *.pl rootfs; cp --parents $(ldd /usr/bin/perl /usr/bin/setpriv | grep -o '/[^ :]*' | sort -u) rootfs",
];
const GROUP = '/sys/fs/cgroup/memory/box';
const MAKE_GROUP = `mkdir -p ${GROUP}; echo 64M > ${GROUP}/memory.limit_in_bytes`;
const box = (program: string): string => `unshare -muinpf sh inside.sh ${program} &`;
const BY_HAND = [
  'unshare -muinpf bash',
  'mount --bind rootfs rootfs; cd rootfs; pivot_root . old; cd /',
  '/bin/mount -t proc proc /proc; /bin/umount -l /old; hostname box',
  'exec /bin/sh',
];
const ALL = 'setpriv --bounding-set=-all --inh-caps=-all perl /no-mkdir.pl sleep 1000';

export const lab = defineLab({
  lesson: 'build-one-by-hand',
  setup: [writeLine('escape.pl', ESCAPE) + writeLine('no-mkdir.pl', NO_MKDIR) + writeLine('inside.sh', INSIDE)],
  tasks: [
    {
      id: 'a-root',
      title: 'Give a program another root',
      check: aRoot,
      latch: true,
      hints: [
        'Files first: fill the directory rootfs with the two commands of the lesson.',
        'chroot DIRECTORY PROGRAM runs a program for which DIRECTORY is /.',
        'chroot rootfs sleep 1000 &',
      ],
      solution: [...FILES, 'chroot rootfs sleep 1000 &', 'sleep 1'],
    },
    {
      id: 'escape',
      title: 'Escape from a chroot',
      check: breakOut,
      latch: true,
      hints: [
        'Whoever is root in a chroot may call chroot again. Read escape.pl: it is six lines.',
        'A copy of it lies in rootfs, and so does perl. It becomes whatever program you name after it.',
        'chroot rootfs perl /escape.pl sleep 1000 &',
      ],
      solution: ['chroot rootfs perl /escape.pl sleep 1000 &', 'sleep 1'],
    },
    {
      id: 'pivot',
      title: 'Exchange the root instead',
      check: pivot,
      latch: true,
      hints: [
        'Begin with new namespaces: unshare -muinpf bash. What you mount and pivot from here on is seen in there only.',
        'pivot_root wants a mount, so bind rootfs onto itself first. Then: pivot_root . old. After that, programs come from the new root.',
        'Let go of the old root with /bin/umount -l /old, and become a program of the box: exec /bin/sh',
      ],
      solution: BY_HAND,
    },
    {
      id: 'locked',
      title: 'Try to escape from that',
      check: locked,
      latch: true,
      hints: [
        'You are in the box now. The same six lines lie at /escape.pl.',
        'Run them with a program that shows where you are: /bin/ls /',
        'perl /escape.pl /bin/ls /',
      ],
      solution: ['perl /escape.pl /bin/ls /', 'sleep 2', 'exit'],
    },
    {
      id: 'limits',
      title: 'Put it into a control group',
      check: limits,
      latch: true,
      hints: [
        'Make a group and a limit as in lesson 3. A process that is in a group has its children in it as well.',
        'Let a shell join the group, and then exec unshare.',
        "sh -c 'echo $$ > /sys/fs/cgroup/memory/box/cgroup.procs; exec unshare -muinpf sleep 1000' &",
      ],
      solution: [MAKE_GROUP, `sh -c 'echo $$ > ${GROUP}/cgroup.procs; exec unshare -muinpf sleep 1000' &`, 'sleep 1'],
    },
    {
      id: 'rights',
      title: 'Be root without rights',
      check: rights,
      latch: true,
      hints: [
        'setpriv starts a program with other rights than yours. setpriv --dump shows those you have.',
        'A program that root starts gets everything in the bounding set, so empty that one.',
        'setpriv --bounding-set=-all --inh-caps=-all sleep 1000 &',
      ],
      solution: ['setpriv --bounding-set=-all --inh-caps=-all sleep 1000 &', 'sleep 1'],
    },
    {
      id: 'filter',
      title: 'Refuse a system call',
      check: filter,
      latch: true,
      hints: [
        'no-mkdir.pl hands a filter to the kernel and then becomes the program you name after it.',
        'perl no-mkdir.pl PROGRAM',
        'perl no-mkdir.pl sleep 1000 &',
      ],
      solution: ['perl no-mkdir.pl sleep 1000 &', 'sleep 1'],
    },
    {
      id: 'whole',
      title: 'All of it at once',
      check: whole,
      latch: true,
      hints: [
        'Each tool ends by becoming the next program, so they can be put in a row: group, namespaces, root, rights, filter, program.',
        'inside.sh does the steps with pivot_root and then becomes what you name after it. In the box, setpriv and perl are the copies you made.',
        `sh -c 'echo $$ > /sys/fs/cgroup/memory/box/cgroup.procs; exec unshare -muinpf sh inside.sh ${ALL}' &`,
      ],
      solution: [`sh -c 'echo $$ > ${GROUP}/cgroup.procs; exec unshare -muinpf sh inside.sh ${ALL}' &`, 'sleep 1'],
    },
  ],
  decoys: [
    { name: 'only stands there', task: 'a-root', lines: [...FILES, 'cd rootfs', 'sleep 1000 &'] },
    { name: 'a container', task: 'a-root', lines: ['docker run -d busybox sleep 1000'] },
    { name: 'stays inside', task: 'escape', lines: [...FILES, 'chroot rootfs sleep 1000 &'] },
    { name: 'was never inside', task: 'escape', lines: ['sleep 1000 &', 'chroot / sleep 1000 &'] },
    { name: 'chroot in new namespaces', task: 'pivot', lines: [...FILES, 'unshare -muinpf chroot rootfs sleep 1000 &', 'sleep 1'] },
    {
      name: 'the old root stays',
      task: 'pivot',
      lines: [
        ...FILES,
        "unshare -muinpf sh -c 'mount --bind rootfs rootfs; cd rootfs; pivot_root . old; exec /bin/sleep 1000' &",
        'sleep 1',
      ],
    },
    {
      name: 'out of a chroot, not out of a box',
      task: 'locked',
      lines: [...FILES, 'chroot rootfs perl /escape.pl sleep 1000 &', 'sleep 1'],
    },
    { name: 'does not try', task: 'locked', lines: [...FILES, box('sleep 1000'), 'sleep 1'] },
    { name: 'a group, and nobody in it', task: 'limits', lines: [MAKE_GROUP, 'unshare -muinpf sleep 1000 &', 'sleep 1'] },
    { name: 'the engine’s', task: 'limits', lines: ['docker run -d -m 64m busybox sleep 1000'] },
    { name: 'not root', task: 'rights', lines: ['setpriv --reuid=1000 --regid=1000 --clear-groups sleep 1000 &', 'sleep 1'] },
    { name: 'promises only', task: 'rights', lines: ['setpriv --no-new-privs sleep 1000 &', 'sleep 1'] },
    { name: 'no new rights is no filter', task: 'filter', lines: ['setpriv --no-new-privs sleep 1000 &', 'sleep 1'] },
    { name: 'the engine’s', task: 'filter', lines: ['docker run -d busybox sleep 1000'] },
    { name: 'without filter and rights dropped', task: 'whole', lines: [...FILES, MAKE_GROUP, box('sleep 1000'), 'sleep 1'] },
    {
      name: 'all but the group',
      task: 'whole',
      lines: [...FILES, box(ALL), 'sleep 1'],
    },
  ],
  quiz: [
    {
      id: 'why-out',
      question: 'Why does the escape work in a chroot and not after pivot_root?',
      options: [
        'pivot_root forbids the call chroot',
        'After pivot_root and the unmount, the machine’s root is not in the mount namespace any more: there is nothing to climb to',
        'In a box, root has fewer rights',
      ],
      answer: 1,
      explanation:
        'In the box you were root with every right, and chroot succeeded. cat /proc/mounts there lists two mounts, and neither leads out.',
    },
    {
      id: 'what-lib',
      question: 'perl was copied into rootfs together with some files that ldd named. What would happen without them?',
      options: [
        'Nothing, it would use the machine’s libraries',
        'It could not start: a program in there finds only what is in there',
        'The kernel would load them from the image',
      ],
      answer: 1,
      explanation:
        'Try: mv rootfs/lib64 rootfs/away; chroot rootfs perl -v. The message is "No such file or directory", and it means the library loader.',
    },
    {
      id: 'root-without',
      question: 'A process has user id 0 and CapEff 0000000000000000. May it change the host name?',
      options: ['Yes, it is root', 'No: the kernel asks for the capability, not for the number 0', 'Only in a container'],
      answer: 1,
      explanation: 'setpriv --bounding-set=-all --inh-caps=-all hostname x says no. The number 0 still owns root’s files, though.',
    },
  ],
});
