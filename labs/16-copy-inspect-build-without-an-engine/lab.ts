/**
 * Lab of lesson 16: copy, inspect, build without an engine.
 *
 * Knows: when each task is done, and answers that look right and are not. Who asked the registry is known by the request's user agent.
 * Does not know: the lesson's words (content/), nor who evaluates it.
 */
import {
  type CheckResult,
  type CheckView,
  defineLab,
  done,
  failed,
  passed,
  payload,
  type RegistryVisit,
  registryVisits,
} from '@slipway/lessons';

type Visits = readonly RegistryVisit[];

const by = (view: CheckView, program: RegExp): Visits =>
  registryVisits(view).filter(({ request }) => program.test(request.userAgent ?? ''));
const skopeos = (view: CheckView): Visits => by(view, /^skopeo\b/i);

/** As docker.io has it, whose mirror the machine's registry is. */
const IMAGE = 'library/debian';

/** Manifests that a program has put into a repository. */
function pushes(visits: Visits, repository: string): Visits {
  return visits.filter(
    ({ request: { method, kind, repository: to }, answer }) =>
      method === 'PUT' && kind === 'manifest' && to === repository && answer.status === 201,
  );
}

/** Digests under which the registry has given out the manifest of `debian`, to anybody. */
function digestsOfImage(view: CheckView): ReadonlySet<string> {
  const asked = registryVisits(view).filter(
    ({ request: { kind, repository }, answer }) => kind === 'manifest' && repository === IMAGE && answer.status === 200,
  );
  return new Set(asked.flatMap(({ request, answer }) => [request.digest, answer.digest].filter((one) => one !== undefined)));
}

function look(view: CheckView): CheckResult {
  const visits = skopeos(view);
  const expected = 'skopeo asking the registry for the manifest and the configuration of debian';
  const gets = visits.filter(
    ({ request: { method, repository }, answer }) => method === 'GET' && repository === IMAGE && answer.status === 200,
  );
  if (gets.some(({ request }) => request.kind === 'manifest') && gets.some(({ request }) => request.kind === 'blob')) return passed;
  const other = registryVisits(view).some(({ request }) => request.repository === IMAGE);
  return failed(
    visits.length > 0 ? 'skopeo asking for something else' : other ? 'somebody else asking for debian' : 'nobody asking for debian',
    expected,
  );
}

function copyIt(view: CheckView): CheckResult {
  const expected = 'skopeo putting the manifest of debian, byte for byte, into the repository mine/debian';
  const known = digestsOfImage(view);
  const put = pushes(skopeos(view), 'mine/debian');
  if (put.some(({ answer }) => known.has(answer.digest ?? ''))) return passed;
  const other = pushes(registryVisits(view), 'mine/debian').length > 0;
  return failed(
    put.length > 0 ? 'another manifest there' : other ? 'somebody else’s push' : 'nothing pushed to mine/debian by skopeo',
    expected,
  );
}

/** While it was pushed nothing was fetched: it came from somewhere else, whole. */
function byFiles(view: CheckView): CheckResult {
  const expected = 'skopeo putting the manifest of debian into mine/back while it fetched nothing from the registry';
  const visits = skopeos(view);
  const known = digestsOfImage(view);
  const put = pushes(visits, 'mine/back').filter(({ answer }) => known.has(answer.digest ?? ''));
  const alone = put.some((push) => {
    const begun = Math.min(...visits.filter(({ request }) => request.repository === 'mine/back').map(({ atMs }) => atMs));
    return !visits.some(({ request: { method, kind }, atMs }) => method === 'GET' && kind === 'blob' && atMs >= begun && atMs <= push.atMs);
  });
  if (alone) return passed;
  const other = pushes(registryVisits(view), 'mine/back').length > 0;
  return failed(
    put.length > 0 ? 'a copy from registry to registry' : other ? 'another push' : 'nothing of debian pushed to mine/back',
    expected,
  );
}

const isSite = (reference: unknown): boolean => typeof reference === 'string' && /(^|\/)site(:latest)?$/.test(reference);

function script(view: CheckView): CheckResult {
  const expected = 'an image site, committed from a working container in which a command ran and into which a file was copied';
  const commits = done(view, 'container.commit').filter(({ request }) => isSite(payload<{ reference: string }>(request).reference));
  const roots = new Set(done(view, 'container.create').map(({ request }) => payload<{ rootOf: string }>(request).rootOf));
  const copied = new Set(done(view, 'container.copy').map(({ container }) => container));
  if (commits.some(({ container }) => container !== undefined && roots.has(container) && copied.has(container))) return passed;
  if (commits.length === 0) return failed('nothing committed as site', expected);
  const ran = commits.some(({ container }) => container !== undefined && roots.has(container));
  return failed(
    ran ? 'site, into which nothing was copied' : 'site, committed from a container that no command of buildah’s ran in',
    expected,
  );
}

function runIt(view: CheckView): CheckResult {
  const expected = 'mine/site pushed by buildah, and a container of it from the registry that ended with exit code 0';
  const push = pushes(by(view, /^buildah\b/i), 'mine/site').at(-1);
  if (push === undefined) return failed('nothing pushed to mine/site by buildah', expected);
  const ran = view.everSeen.find(({ image }) => /^127\.0\.0\.1:5000\/mine\/site(:|@|$)/.test(image));
  if (ran?.exitCode === 0) return passed;
  return failed(ran === undefined ? 'the push, and no container of that image' : `a container of it that is ${ran.status}`, expected);
}

const REGISTRY = '127.0.0.1:5000';
const FROM = '--src-tls-verify=false';
const TO = '--dest-tls-verify=false';
const INSPECT = `skopeo inspect --tls-verify=false docker://${REGISTRY}/library/debian`;
const DIRECT = (name: string) => `skopeo copy ${FROM} ${TO} docker://${REGISTRY}/library/debian docker://${REGISTRY}/mine/${name}:1`;
const SCRIPT = [
  'set -e',
  'c=$(buildah from busybox)',
  'buildah run $c -- mkdir -p /srv/www',
  'buildah copy $c page.html /srv/www/index.html',
  'buildah config --cmd "cat /srv/www/index.html" --label by=script $c',
  'buildah commit --rm $c site',
];
const WRITE_PAGE = "echo '<h1>Built by a script</h1>' > page.html";
const WRITE_SCRIPT = `printf '%s\\n' ${SCRIPT.map((line) => `'${line}'`).join(' ')} > build.sh`;
const PUSH = `buildah push --tls-verify=false site docker://${REGISTRY}/mine/site:1`;

export const lab = defineLab({
  lesson: 'copy-inspect-build-without-an-engine',
  setup: [],
  tasks: [
    {
      id: 'look',
      title: 'Inspect an image that is not here',
      check: look,
      latch: true,
      hints: [
        'skopeo inspect takes an image’s name with a transport before it: docker:// for a registry.',
        'The registry on this machine speaks plain http: --tls-verify=false.',
        INSPECT,
      ],
      solution: [INSPECT],
    },
    {
      id: 'copy',
      title: 'Copy it from repository to repository',
      check: copyIt,
      latch: true,
      hints: [
        'skopeo copy SOURCE DESTINATION, each with its transport.',
        'Both sides are the registry: docker://127.0.0.1:5000/library/debian and docker://127.0.0.1:5000/mine/debian:1, and each side has its own --…-tls-verify=false.',
        DIRECT('debian'),
      ],
      solution: [DIRECT('debian')],
    },
    {
      id: 'files',
      title: 'Carry it in a directory',
      check: byFiles,
      latch: true,
      hints: [
        'oci:DIRECTORY:TAG is an image layout. Copy into it, look at it, copy out of it.',
        'The second copy has the layout as its source, and docker://127.0.0.1:5000/mine/back:1 as its destination.',
        `skopeo copy ${TO} oci:debian-layout:1 docker://${REGISTRY}/mine/back:1`,
      ],
      solution: [
        `skopeo copy ${FROM} docker://${REGISTRY}/library/debian oci:debian-layout:1`,
        `skopeo copy ${TO} oci:debian-layout:1 docker://${REGISTRY}/mine/back:1`,
      ],
    },
    {
      id: 'script',
      title: 'Build from a shell script',
      check: script,
      latch: true,
      hints: [
        'The script is in the text: five calls of buildah. Write it with nano build.sh.',
        'from, run, copy, config, commit; the container’s name is what from prints.',
        'sh build.sh, in the directory that has page.html.',
      ],
      solution: [WRITE_PAGE, WRITE_SCRIPT, 'sh build.sh'],
    },
    {
      id: 'run-it',
      title: 'Push it, and run it from there',
      check: runIt,
      latch: true,
      hints: [
        'buildah push IMAGE DESTINATION, with a transport as in skopeo.',
        'Then docker run with the registry in the name: 127.0.0.1:5000/mine/site:1.',
        `${PUSH}; docker run --rm ${REGISTRY}/mine/site:1`,
      ],
      solution: [PUSH, `docker run --rm ${REGISTRY}/mine/site:1`],
    },
  ],
  decoys: [
    { name: 'pulled by the engine', task: 'look', lines: ['docker pull debian'] },
    { name: 'a list of tags', task: 'look', lines: [`skopeo list-tags --tls-verify=false docker://${REGISTRY}/library/debian`] },
    {
      name: 'pulled, tagged and pushed by the engine',
      task: 'copy',
      lines: ['docker pull debian', `docker tag debian ${REGISTRY}/mine/debian:1`, `docker push ${REGISTRY}/mine/debian:1`],
    },
    { name: 'into a directory only', task: 'copy', lines: [`skopeo copy ${FROM} docker://${REGISTRY}/library/debian oci:debian-layout:1`] },
    { name: 'from registry to registry', task: 'files', lines: [DIRECT('back')] },
    {
      name: 'into the directory, and not back',
      task: 'files',
      lines: [`skopeo copy ${FROM} docker://${REGISTRY}/library/debian oci:debian-layout:1`],
    },
    {
      name: 'a container run and committed by the engine',
      task: 'script',
      lines: [WRITE_PAGE, 'docker create --name draft busybox true', 'docker cp page.html draft:/index.html', 'docker commit draft site'],
    },
    {
      name: 'a Dockerfile',
      task: 'script',
      lines: [WRITE_PAGE, "printf 'FROM busybox\\nCOPY page.html /\\nRUN true\\n' > Dockerfile", 'docker build -t site .'],
    },
    { name: 'run from the engine’s store', task: 'run-it', lines: [WRITE_PAGE, WRITE_SCRIPT, 'sh build.sh', 'docker run --rm site'] },
    { name: 'pushed, not run', task: 'run-it', lines: [WRITE_PAGE, WRITE_SCRIPT, 'sh build.sh', PUSH] },
  ],
  quiz: [
    {
      id: 'what-is-fetched',
      question: 'skopeo inspect shows architecture, layers and labels of an image of one gigabyte. How much of it was fetched?',
      options: ['All of it', 'The manifest and the configuration, a few kilobytes', 'Nothing, the registry computes the answer'],
      answer: 1,
      explanation:
        'The registry’s requests say so: a manifest and one blob. Sizes and digests of layers are in the manifest, the rest is in the configuration.',
    },
    {
      id: 'same-digest',
      question: 'After a copy through a directory, mine/back:1 has the same digest as debian. What does that prove?',
      options: [
        'That both have the same name',
        'That manifest, configuration and layers are the same bytes',
        'Only that the layers are as many as before',
      ],
      answer: 1,
      explanation:
        'The digest is the manifest’s; the manifest has the digests of configuration and layers. Change one byte anywhere below, and it is another.',
    },
    {
      id: 'one-layer',
      question: 'The script ran one command and copied one file. By how many layers is site higher than busybox?',
      options: ['By one', 'By two', 'By five, one for each line of buildah'],
      answer: 0,
      explanation:
        'A working container has one writable directory, and commit packs it once. docker history site shows it. With a Dockerfile it would be a layer for each RUN and COPY.',
    },
  ],
});
