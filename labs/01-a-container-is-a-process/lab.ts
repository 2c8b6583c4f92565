/**
 * Lab of lesson 1: a container is a process.
 *
 * Knows: when each task is done, and answers that look right and are not.
 * Does not know: the lesson's words (content/), nor who evaluates it.
 */
import {
  type CheckResult,
  type CheckView,
  containerNamed,
  defineLab,
  failed,
  inWords,
  isImage,
  passed,
  programsStarted,
  requests,
  runningSince,
} from '@slipway/lessons';

const KILLED = 137;
/** How the engine marks the containers of a build's steps: they, too, are removed when they have ended. */
const BUILD = 'build';
/** Programs that list processes. */
const LISTERS = new Set(['ps', 'pgrep', 'pstree', 'top', 'pidof', 'lsns']);

function runOne(view: CheckView): CheckResult {
  const web = containerNamed(view, 'web');
  const expected = 'a container called web, from the image busybox, that runs';
  if (web === undefined) {
    const other = view.containers[0];
    return failed(other === undefined ? 'no container' : `no container called web, but ${inWords(other)}`, expected);
  }
  if (!isImage(web, 'busybox')) return failed(`web from the image ${web.image}`, expected);
  if (web.status === 'created' || runningSince(view, web.id) === undefined) return failed(inWords(web), expected);
  return passed;
}

function findIt(view: CheckView): CheckResult {
  const expected = 'somebody who lists the machine’s processes (with ps, for example) while web runs';
  const web = containerNamed(view, 'web');
  const since = web === undefined ? undefined : runningSince(view, web.id);
  if (since === undefined) return failed('no container web that has run', expected);
  const looked = programsStarted(view).some(({ program, atMs, inside }) => LISTERS.has(program) && atMs > since && !inside);
  const asked = requests(view, /\/containers\/[^/]+\/(top|json)$/).some((span) => span.startMs > since);
  return looked || asked ? passed : failed('nobody listing processes outside the container since web began', expected);
}

function writeAFile(view: CheckView): CheckResult {
  const files = view.layers.flatMap((layers) => layers.upper.filter((entry) => entry.kind === 'file' && entry.mountPoint !== true));
  return files.length > 0 ? passed : failed('no file in any container’s writable layer', 'one that was written from inside a container');
}

function deleteAFile(view: CheckView): CheckResult {
  const whiteouts = view.layers.flatMap((layers) => layers.upper.filter((entry) => entry.kind === 'whiteout'));
  return whiteouts.length > 0
    ? passed
    : failed('no whiteout in any container’s writable layer', 'one, left by deleting a file that came with the image');
}

function killIt(view: CheckView): CheckResult {
  const expected = 'web ended by signal 9 sent to its process (exit code 137), with no request to the engine';
  const web = view.everSeen.findLast((container) => container.name === 'web' && container.exitCode !== undefined);
  if (web === undefined) return failed('no container web that has ended', expected);
  const id = web.id.slice(0, 12);
  const through = requests(view, /\/containers\/[^/]+(\/(kill|stop|restart))?$/).find(
    (span) => /^(POST .*\/(kill|stop|restart)|DELETE )/.test(span.name) && (span.container === undefined || span.container.startsWith(id)),
  );
  if (through !== undefined) return failed(`the request ${through.name}`, expected);
  return web.exitCode === KILLED ? passed : failed(inWords(web), expected);
}

function firstProcess(view: CheckView): CheckResult {
  const expected = 'brief, ended with exit code 0, after its first process had started another';
  const brief = containerNamed(view, 'brief');
  if (brief === undefined) return failed('no container called brief', expected);
  if (brief.exitCode === undefined) return failed(inWords(brief), expected);
  if (brief.exitCode !== 0) return failed(inWords(brief), expected);
  const children = new Set(
    view.events.flatMap((event) => (event.type === 'kernel.fork' && event.event.container === brief.id ? [event.event.childHostPid] : [])),
  );
  const seenTogether = children.size > 1 || (brief.command.join(' ').includes('&') && brief.command.join(' ').includes('sh'));
  return seenTogether ? passed : failed('brief, which ran one process only', expected);
}

function quickStart(view: CheckView): CheckResult {
  const done = view.everSeen.find(
    ({ api, name, status, exitCode }) => api !== BUILD && status === 'removed' && exitCode === 0 && name !== 'web',
  );
  return done === undefined
    ? failed('no container that ran to its end and was removed by itself', 'one started with --rm that ended with exit code 0')
    : passed;
}

export const lab = defineLab({
  lesson: 'a-container-is-a-process',
  setup: [],
  tasks: [
    {
      id: 'run-one',
      title: 'Start a container called web',
      check: runOne,
      latch: true,
      hints: [
        'The command that makes and starts a container is docker run.',
        'It takes options, then the image, then the program: docker run OPTIONS busybox sleep 300.',
        'You need -d to leave it in the background and --name web to call it web.',
      ],
      solution: ['docker run -d --name web busybox sleep 300'],
    },
    {
      id: 'find-it',
      title: 'Find its process on the machine',
      check: findIt,
      latch: true,
      hints: [
        'Whatever lists processes on Linux lists the container’s, too.',
        'ps shows processes; -ef shows all of them, --forest who started whom.',
        'Type ps -ef --forest in the terminal and look for sleep 300.',
      ],
      solution: ['ps -ef --forest'],
    },
    {
      id: 'write-a-file',
      title: 'Write a file inside',
      check: writeAFile,
      latch: true,
      hints: [
        'docker exec runs a further program inside a running container.',
        'touch FILE makes an empty file.',
        'docker exec web touch /root/hello',
      ],
      solution: ['docker exec web touch /root/hello'],
    },
    {
      id: 'delete-a-file',
      title: 'Delete a file of the image',
      check: deleteAFile,
      latch: true,
      hints: [
        'A file that you made yourself leaves nothing behind when you delete it; one from the image does.',
        'List the image’s files with docker exec web ls /etc and delete one of them.',
        'docker exec web rm /etc/profile',
      ],
      solution: ['docker exec web rm /etc/profile'],
    },
    {
      id: 'kill-it',
      title: 'End it from outside',
      check: killIt,
      latch: true,
      hints: [
        'The container is a process of this machine, and you are root here.',
        'kill -9 PID sends the signal that nothing survives; docker inspect web tells the pid under State.',
        "kill -9 $(docker inspect -f '{{.State.Pid}}' web). If you used docker stop or docker kill: docker rm web, and reset this lesson.",
      ],
      solution: ["kill -9 $(docker inspect -f '{{.State.Pid}}' web)"],
    },
    {
      id: 'first-process',
      title: 'See it end with its first process',
      check: firstProcess,
      latch: true,
      hints: [
        'A shell started with sh -c runs what you give it and ends after the last command.',
        'In a shell, & leaves a command running in the background.',
        "docker run -d --name brief busybox sh -c 'sleep 1000 & sleep 2'",
      ],
      solution: ["docker run -d --name brief busybox sh -c 'sleep 1000 & sleep 2'", 'sleep 3'],
    },
    {
      id: 'quick-start',
      title: 'Start one that ends at once',
      check: quickStart,
      latch: true,
      hints: [
        'The program true does nothing and succeeds.',
        'The option --rm removes the container when it has ended.',
        'docker run --rm busybox true',
      ],
      solution: ['docker run --rm busybox true'],
    },
  ],
  decoys: [
    { name: 'another name', task: 'run-one', lines: ['docker run -d --name server busybox sleep 300'] },
    { name: 'created but never started', task: 'run-one', lines: ['docker create --name web busybox sleep 300'] },
    { name: 'looks before anything runs', task: 'find-it', lines: ['ps -ef', 'docker run -d --name web busybox sleep 300'] },
    { name: 'looks from inside only', task: 'find-it', lines: ['docker run -d --name web busybox sleep 300', 'docker exec web ps'] },
    {
      name: 'writes on the machine, not in the container',
      task: 'write-a-file',
      lines: ['docker run -d --name web busybox sleep 300', 'touch /root/hello'],
    },
    {
      name: 'deletes its own file',
      task: 'delete-a-file',
      lines: ['docker run -d --name web busybox sleep 300', 'docker exec web touch /root/hello', 'docker exec web rm /root/hello'],
    },
    { name: 'asks the engine to stop it', task: 'kill-it', lines: ['docker run -d --name web busybox sleep 300', 'docker stop -t 0 web'] },
    { name: 'asks the engine to kill it', task: 'kill-it', lines: ['docker run -d --name web busybox sleep 300', 'docker kill web'] },
    { name: 'one process only', task: 'first-process', lines: ['docker run -d --name brief busybox sleep 1', 'sleep 2'] },
    { name: 'kept after its end', task: 'quick-start', lines: ['docker run busybox true'] },
    {
      name: 'a step of a build',
      task: 'quick-start',
      lines: ["printf 'FROM busybox\\nRUN true\\n' | docker build -q -"],
    },
  ],
  quiz: [
    {
      id: 'where-is-it',
      question: 'How many pids did the container’s sleep have while it ran?',
      options: [
        'One, inside the container only',
        'Two: one inside the container, one on the machine around it',
        'None, containers have no pids',
      ],
      answer: 1,
      explanation: 'Each pid namespace a process is seen from has a number for it. NSpid in /proc/PID/status lists them all.',
    },
    {
      id: 'what-ends-it',
      question: 'A container’s first process ends. What becomes of the others in it?',
      options: ['They go on until docker stop', 'The kernel ends them', 'The shim adopts them'],
      answer: 1,
      explanation:
        'The first process is process 1 of the container’s pid namespace; when it ends, the kernel kills everything in that namespace. You saw it with brief.',
    },
    {
      id: 'which-kernel',
      question: 'Which kernel does a process in a container use?',
      options: ['The one in the image', 'A small one that the engine starts', 'The same as every other process of the machine'],
      answer: 2,
      explanation: 'An image holds files only. uname -r gives the same answer inside and outside.',
    },
  ],
});
