/**
 * Lab of lesson 2: namespaces, one at a time.
 *
 * Knows: when each task is done, and answers that look right and are not.
 * Does not know: the lesson's words (content/), nor who evaluates it.
 */
import {
  apartIn,
  apartInWords,
  argument,
  type CheckResult,
  type CheckView,
  callsMade,
  defineLab,
  descent,
  failed,
  ownProcesses,
  passed,
  processInWords,
} from '@slipway/lessons';

type Own = ReturnType<typeof ownProcesses>[number];

const CLONE_NEWUTS = 0x04000000;
/** mount(2) with one of these moves nothing in: it changes how existing mounts spread, or their options. */
const MS_REMOUNT_OR_PROPAGATION = [0x20, 1 << 17, 1 << 18, 1 << 19, 1 << 20];

/** Processes by hand that have something for themselves, as a sentence: what a check says it saw. */
function apartSeen(view: CheckView): string {
  const apart = ownProcesses(view).filter((process) => apartIn(view, process).length > 0);
  const [first] = apart;
  if (first === undefined) return 'no process outside containers that has any namespace to itself';
  return `${processInWords(first)} with ${apartInWords(apartIn(view, first))}${apart.length > 1 ? ` (and ${apart.length - 1} more)` : ''}`;
}

function ownName(view: CheckView): CheckResult {
  const found = ownProcesses(view).find((process) => apartIn(view, process).join() === 'uts');
  return found ? passed : failed(apartSeen(view), 'one whose uts namespace is its own while it shares all others with the machine');
}

function renameIt(view: CheckView): CheckResult {
  const expected = 'a program that first entered another uts namespace and then set the host name there';
  const named = callsMade(view, 'sethostname');
  // Type 0 leaves it to the descriptor which kind is entered.
  const entered = callsMade(view, 'setns').some(({ call }) => [0, CLONE_NEWUTS].includes(argument(call, 'flags')));
  if (entered && named.some(({ where }) => where === 'joined')) return passed;
  if (named.some(({ where }) => where === 'machine'))
    return failed('a host name set by a program that had not entered anybody’s namespaces', expected);
  return failed('nobody setting a host name', expected);
}

function ownPids(view: CheckView): CheckResult {
  const found = ownProcesses(view).find(({ innerPid }) => innerPid === 1);
  return found ? passed : failed(apartSeen(view), 'one outside containers that is number 1 of a pid namespace of its own');
}

function shareANetwork(view: CheckView): CheckResult {
  const apart = ownProcesses(view).filter((process) => apartIn(view, process).includes('net'));
  const byNetwork = Map.groupBy(apart, ({ namespaces }) => namespaces.net);
  const expected = 'two processes outside containers that share one network namespace, which is not the machine’s';
  if ([...byNetwork.values()].some((members) => members.length > 1)) return passed;
  if (byNetwork.size > 1) return failed(`${byNetwork.size} network namespaces with one process in each`, expected);
  const [only] = apart;
  return failed(only ? `${processInWords(only)} alone in its network namespace` : 'everybody in the machine’s network', expected);
}

function ownMounts(view: CheckView): CheckResult {
  const expected = 'a process with a mount namespace of its own in which something was mounted that the machine does not have';
  const apart = ownProcesses(view).filter((process) => apartIn(view, process).includes('mnt'));
  if (apart.length === 0) return failed(apartSeen(view), expected);
  const lines = descent(view);
  // Others unshare and mount too, such as the engine when it tries what the kernel can do.
  const theirs = new Set(apart.flatMap(({ pid }) => lines.ofMachinePid(pid)));
  const unshared = new Set(callsMade(view, 'unshare').flatMap(({ call }) => (theirs.has(call.hostPid) ? call.hostPid : [])));
  const mounted = callsMade(view, 'mount').some(
    ({ call, where }) =>
      !MS_REMOUNT_OR_PROPAGATION.some((flag) => (argument(call, 'flags') & flag) !== 0) &&
      (where === 'joined' || lines.ofHostPid(call.hostPid).some((pid) => unshared.has(pid))),
  );
  return mounted ? passed : failed(`${apartSeen(view)}, and nothing mounted in it`, expected);
}

function nobodyIsRoot(view: CheckView): CheckResult {
  const expected = 'a process that is an ordinary user to the machine and 0, root, in a user namespace of its own';
  const root = view.processes.find(({ pid }) => pid === 1)?.uid;
  const apart = ownProcesses(view).filter((process) => process.uidMap !== undefined);
  if (apart.some(({ uid, uidMap }) => uid !== root && uidMap?.startsWith('0 '))) return passed;
  const [first] = apart;
  if (first === undefined) return failed('nobody outside containers with a user namespace of its own', expected);
  if (first.uid === root) return failed(`${processInWords(first)} in its own user namespace, which is root outside as well`, expected);
  return failed(`${processInWords(first)} in its own user namespace ${mapInWords(first)}`, expected);
}

function mapInWords({ uidMap = '' }: Own): string {
  return uidMap === '' ? 'without any map: every id in it is nobody’s' : `with a map that begins at ${uidMap.split(' ')[0]}`;
}

function lastThree(view: CheckView): CheckResult {
  const wanted = ['ipc', 'cgroup', 'time'] as const;
  const found = ownProcesses(view).some((process) => wanted.every((kind) => apartIn(view, process).includes(kind)));
  return found ? passed : failed(apartSeen(view), 'one process outside containers with its own ipc, cgroup and time namespaces');
}

export const lab = defineLab({
  lesson: 'namespaces-one-at-a-time',
  setup: [],
  tasks: [
    {
      id: 'own-name',
      title: 'Give a program a host name of its own',
      check: ownName,
      latch: true,
      hints: [
        'unshare PROGRAM starts a program with new namespaces; letters say of which kinds. unshare --help lists them.',
        'The kind that holds the host name is called uts, its letter is -u. Leave the program running in the background with &.',
        'unshare -u sleep 1000 &',
      ],
      solution: ['unshare -u sleep 1000 &', 'sleep 1'],
    },
    {
      id: 'rename-it',
      title: 'Enter from outside and rename it',
      check: renameIt,
      latch: true,
      hints: [
        'nsenter runs a program in namespaces that another process is already in.',
        '-t PID says whose namespaces, -u says: only the uts one. pgrep -nx sleep prints the pid of the newest sleep.',
        'nsenter -t $(pgrep -nx sleep) -u hostname island',
      ],
      solution: ['nsenter -t $(pgrep -nx sleep) -u hostname island'],
    },
    {
      id: 'own-pids',
      title: 'Be process number 1',
      check: ownPids,
      latch: true,
      hints: [
        'The letter for pid namespaces is -p. A process never changes its own pid, so the one that calls unshare stays where it is …',
        '… and only its children are born into the new namespace. unshare has an option to fork first.',
        'unshare -p -f sleep 1000 &',
      ],
      solution: ['unshare -p -f sleep 1000 &', 'sleep 1'],
    },
    {
      id: 'share-a-network',
      title: 'Two programs, one network',
      check: shareANetwork,
      latch: true,
      hints: [
        'The first program gets a new network namespace (unshare -n), the second one enters it.',
        'nsenter -t PID -n PROGRAM runs a program in the network of PID. Right after "&", the shell knows the pid as $!.',
        'unshare -n sleep 1000 &  and then  nsenter -t $! -n sleep 1000 &',
      ],
      solution: ['unshare -n sleep 1000 &', 'sleep 1', 'nsenter -t $! -n sleep 1000 &', 'sleep 1'],
    },
    {
      id: 'own-mounts',
      title: 'Mount something that only one program sees',
      check: ownMounts,
      latch: true,
      hints: [
        'The letter for mount namespaces is -m. What is mounted after unshare is seen in there only.',
        "Let a shell do several things in a row: unshare -m sh -c 'FIRST; SECOND; exec sleep 1000' &",
        "unshare -m sh -c 'mount -t tmpfs none /mnt; touch /mnt/secret; exec sleep 1000' &",
      ],
      solution: ["unshare -m sh -c 'mount -t tmpfs none /mnt; touch /mnt/secret; exec sleep 1000' &", 'sleep 1'],
    },
    {
      id: 'nobody-is-root',
      title: 'Let an ordinary user be root',
      check: nobodyIsRoot,
      latch: true,
      hints: [
        'Begin as an ordinary user: setpriv --reuid=1000 --regid=1000 --clear-groups PROGRAM.',
        'unshare -U makes a user namespace, and -r writes its map: who you are outside becomes 0 inside.',
        'setpriv --reuid=1000 --regid=1000 --clear-groups unshare -U -r sleep 1000 &',
      ],
      solution: ['setpriv --reuid=1000 --regid=1000 --clear-groups unshare -U -r sleep 1000 &', 'sleep 1'],
    },
    {
      id: 'last-three',
      title: 'The last three kinds',
      check: lastThree,
      latch: true,
      hints: [
        'They are ipc, cgroup and time. unshare --help has their letters.',
        'Letters can stand together. A new time namespace is, like a pid namespace, for children: add --fork.',
        'unshare -iCT --fork sleep 1000 &',
      ],
      solution: ['unshare -iCT --fork sleep 1000 &', 'sleep 1'],
    },
  ],
  decoys: [
    { name: 'another kind', task: 'own-name', lines: ['unshare -i sleep 1000 &', 'sleep 1'] },
    { name: 'a whole container', task: 'own-name', lines: ['docker run -d busybox sleep 1000'] },
    { name: 'renames the machine itself', task: 'rename-it', lines: ['unshare -u sleep 1000 &', 'hostname island'] },
    { name: 'renames from inside', task: 'rename-it', lines: ["unshare -u sh -c 'hostname island; exec sleep 1000' &", 'sleep 1'] },
    { name: 'without a fork', task: 'own-pids', lines: ['unshare -p sleep 1000 &', 'sleep 1'] },
    { name: 'number 1 of a container', task: 'own-pids', lines: ['docker run -d busybox sleep 1000'] },
    {
      name: 'two programs, two networks',
      task: 'share-a-network',
      lines: ['unshare -n sleep 1000 &', 'unshare -n sleep 1000 &', 'sleep 1'],
    },
    { name: 'two programs in the machine’s', task: 'share-a-network', lines: ['sleep 1000 &', 'nsenter -t $! -n sleep 1000 &', 'sleep 1'] },
    { name: 'mounted for everybody', task: 'own-mounts', lines: ['mount -t tmpfs none /mnt', 'unshare -m sleep 1000 &', 'sleep 1'] },
    { name: 'nothing mounted', task: 'own-mounts', lines: ["unshare -m sh -c 'touch /mnt/secret; exec sleep 1000' &", 'sleep 1'] },
    { name: 'root stays root', task: 'nobody-is-root', lines: ['unshare -U -r sleep 1000 &', 'sleep 1'] },
    {
      name: 'no map',
      task: 'nobody-is-root',
      lines: ['setpriv --reuid=1000 --regid=1000 --clear-groups unshare -U sleep 1000 &', 'sleep 1'],
    },
    { name: 'one is missing', task: 'last-three', lines: ['unshare -iC --fork sleep 1000 &', 'sleep 1'] },
    {
      name: 'each in another program',
      task: 'last-three',
      lines: ['unshare -iC sleep 1000 &', 'unshare -T --fork sleep 1000 &', 'sleep 1'],
    },
  ],
  quiz: [
    {
      id: 'same-or-not',
      question: 'How can you tell, from outside, whether two processes are in the same network namespace?',
      options: [
        'Both list the same addresses',
        'readlink /proc/PID/ns/net prints the same number for both',
        'They have the same parent process',
      ],
      answer: 1,
      explanation:
        'A namespace is named by its inode number. Two namespaces can have equal addresses, and a child can be in another one than its parent.',
    },
    {
      id: 'who-goes',
      question: 'The last process in a uts namespace ends, and nothing else holds on to it. What happens to the namespace?',
      options: ['It stays until the machine restarts', 'It waits for docker to remove it', 'The kernel forgets it'],
      answer: 2,
      explanation:
        'Run lsns -t uts before and after ending the sleep. Nobody has to clean up: a namespace lives as long as something uses it.',
    },
    {
      id: 'which-root',
      question: 'An ordinary user is root in a user namespace of their own. May they rename the machine?',
      options: [
        'Yes, root may do everything',
        'No: they have root’s rights over what belongs to their namespace, and the machine’s name does not',
      ],
      answer: 1,
      explanation:
        'Try setpriv --reuid=1000 --regid=1000 --clear-groups unshare -Ur hostname island, and then the same with -Uru: a uts namespace made along with the user namespace belongs to it.',
    },
  ],
});
