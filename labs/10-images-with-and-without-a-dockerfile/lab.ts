/**
 * Lab of lesson 10: images with and without a Dockerfile.
 *
 * Knows: when each task is done, and answers that look right and are not.
 * Does not know: the lesson's words (content/), nor who evaluates it.
 */
import {
  builds,
  type CheckResult,
  type CheckView,
  defineLab,
  done,
  failed,
  firstWith,
  passed,
  payload,
  programsStarted,
  type SeenBuild,
} from '@slipway/lessons';

const isNamed = (wanted: string) => (name: string) => new RegExp(`(^|/)${wanted}(:latest)?$`).test(name);
const ofApp = (view: CheckView): readonly SeenBuild[] => builds(view).filter(({ names }) => names.some(isNamed('app')));
/** Steps that a cache has something to do with. */
const workOf = ({ steps }: SeenBuild) => steps.filter(({ cached }) => cached !== undefined);
const isRun = (instruction: string): boolean => /^RUN /i.test(instruction);
const isCopy = (instruction: string): boolean => /^(COPY|ADD) /i.test(instruction);

function build(view: CheckView): CheckResult {
  const all = builds(view);
  if (ofApp(view).length > 0) return passed;
  return failed(
    all.length === 0 ? 'no build that came to an image' : 'a build of an image that is not called app',
    'a build of an image called app',
  );
}

function again(view: CheckView): CheckResult {
  const all = ofApp(view);
  if (all.some((one) => workOf(one).length > 1 && workOf(one).every(({ cached }) => cached))) return passed;
  const last = all.at(-1);
  const made = last === undefined ? 0 : workOf(last).filter(({ cached }) => !cached).length;
  return failed(
    last === undefined ? 'no build of app' : `a build of app that did ${made} steps anew`,
    'one in which every step was there already',
  );
}

/** A step of the same words in an earlier build of app. */
function before(all: readonly SeenBuild[], at: number, instruction: string) {
  return all.slice(0, at).flatMap(({ steps }) => steps.filter((step) => step.instruction === instruction));
}

/** Copies of a build that brought other files than the same line did before. */
function changedCopies(all: readonly SeenBuild[], at: number) {
  return (all[at]?.steps ?? []).filter(({ instruction, cached, diffId }) => {
    const earlier = before(all, at, instruction);
    return isCopy(instruction) && cached === false && earlier.length > 0 && earlier.every((step) => step.diffId !== diffId);
  });
}

function breakCache(view: CheckView): CheckResult {
  const all = ofApp(view);
  const expected = 'a build in which a COPY brought other files than before, and the same RUN below it had to be done anew';
  const broken = all.some(({ steps }, at) => {
    const [copy] = changedCopies(all, at);
    const below = copy === undefined ? [] : steps.slice(steps.indexOf(copy) + 1);
    return below.some(({ instruction, cached }) => isRun(instruction) && cached === false && before(all, at, instruction).length > 0);
  });
  if (broken) return passed;
  const changed = all.some((_one, at) => changedCopies(all, at).length > 0);
  return failed(
    changed ? 'a COPY that brought other files, with no RUN below it that was done anew' : 'no COPY that brought other files than before',
    expected,
  );
}

function mend(view: CheckView): CheckResult {
  const all = ofApp(view);
  const expected = 'a build in which a COPY brought other files, and the RUN above it was there already';
  const mended = all.some(({ steps }, at) =>
    changedCopies(all, at).some((copy) =>
      steps.slice(0, steps.indexOf(copy)).some(({ instruction, cached }) => isRun(instruction) && cached === true),
    ),
  );
  if (mended) return passed;
  const last = all.at(-1);
  const run = last?.steps.find(({ instruction }) => isRun(instruction));
  return failed(
    run === undefined
      ? 'no build of app with a RUN'
      : run.cached
        ? 'nothing changed in the last build'
        : 'the RUN of the last build done anew',
    expected,
  );
}

interface Loaded {
  readonly id: string;
  readonly atMs: number;
}

/** Images called `assembled` that came out of an archive. */
function loadsOfAssembled(view: CheckView): readonly Loaded[] {
  return done(view, 'image.load').flatMap(({ response, endMs = 0 }) => {
    const images = Object.values(payload<Readonly<Record<string, { id: string; references: readonly string[] }>>>(response));
    return images.flatMap((image) => (image?.references.some(isNamed('assembled')) ? [{ id: image.id, atMs: endMs }] : []));
  });
}

function assemble(view: CheckView): CheckResult {
  const expected = 'an image called assembled, loaded from an archive, that no engine has made or pulled';
  const loads = loadsOfAssembled(view);
  const own = loads.find(({ id }) => firstWith(view, id)?.name === 'image.load');
  if (own !== undefined) return passed;
  return failed(
    loads.length === 0 ? 'no such image loaded' : 'an image assembled that was in the engine before it was in an archive',
    expected,
  );
}

function twice(view: CheckView): CheckResult {
  const expected = 'the same image id out of two archives, assembled one after the other';
  const ids = loadsOfAssembled(view).map(({ id }) => id);
  const same = ids.some((id, at) => ids.indexOf(id) < at);
  const started = programsStarted(view).filter(({ program }) => program === 'slipway').length;
  if (same && started > 1) return passed;
  return failed(same ? 'the same archive loaded again' : `${ids.length} of them loaded, each with an id of its own`, expected);
}

const BUILD = 'docker build -t app ~/app';
const REORDERED =
  'printf \'FROM busybox\\nCOPY words.txt /app/\\nRUN sleep 1; wc -w < /app/words.txt > /app/count\\nCOPY main.sh /app/\\nCMD ["sh", "/app/main.sh"]\\n\' > ~/app/Dockerfile';
const CHANGE = (version: number) => `sed -i 's/version [0-9]*/version ${version}/' ~/app/main.sh`;
const TAKE_PROGRAM = 'docker create --name giver hello && docker cp giver:/hello ~/hello';
const ASSEMBLE = (file: string) => `slipway image assemble -o ~/${file} -t assembled --layer ~/hello:/ --entrypoint /hello`;

export const lab = defineLab({
  lesson: 'images-with-and-without-a-dockerfile',
  setup: [
    'mkdir -p /root/app',
    "printf 'alpha beta gamma\\n' > /root/app/words.txt",
    'printf \'echo "version 1 knows $(cat /app/count) words"\\n\' > /root/app/main.sh',
    'printf \'FROM busybox\\nCOPY . /app\\nRUN sleep 1; wc -w < /app/words.txt > /app/count\\nCMD ["sh", "/app/main.sh"]\\n\' > /root/app/Dockerfile',
  ],
  tasks: [
    {
      id: 'build',
      title: 'Build the image app',
      check: build,
      latch: true,
      hints: ['docker build takes a directory: the context.', 'The option -t gives the image its name.', 'docker build -t app ~/app'],
      solution: [BUILD],
    },
    {
      id: 'again',
      title: 'Build it again, with nothing to do',
      check: again,
      latch: true,
      hints: ['Change nothing.', 'The same command as before, without options that switch the cache off.', 'docker build -t app ~/app'],
      solution: [BUILD],
    },
    {
      id: 'break',
      title: 'Break the cache with one word',
      check: breakCache,
      latch: true,
      hints: [
        'COPY . brings every file of the context. Change one that the RUN has no use for.',
        'main.sh says "version 1". Make it say "version 2" (nano, or sed -i) and build again.',
        "sed -i 's/version 1/version 2/' ~/app/main.sh and then docker build -t app ~/app",
      ],
      solution: [CHANGE(2), BUILD],
    },
    {
      id: 'mend',
      title: 'Mend it by the order of lines',
      check: mend,
      latch: true,
      hints: [
        'What changes often belongs below what takes long.',
        'Copy words.txt alone, then RUN, then COPY main.sh. Build once; then change main.sh and build again.',
        'After the new Dockerfile: docker build -t app ~/app, then another version in main.sh, then docker build -t app ~/app',
      ],
      solution: [REORDERED, BUILD, CHANGE(3), BUILD],
    },
    {
      id: 'assemble',
      title: 'Make an image without a Dockerfile',
      check: assemble,
      latch: true,
      hints: [
        'Take the program out of the image hello with docker cp, and put it into an archive with slipway image assemble.',
        'assemble wants -o for the archive, -t for the name, --layer SOURCE:/DESTINATION and --entrypoint. docker load takes the archive in.',
        'slipway image assemble -o ~/one.tar -t assembled --layer ~/hello:/ --entrypoint /hello && docker load -i ~/one.tar',
      ],
      solution: [TAKE_PROGRAM, ASSEMBLE('one.tar'), 'docker load -i ~/one.tar'],
    },
    {
      id: 'twice',
      title: 'Get the same image twice',
      check: twice,
      latch: true,
      hints: [
        'Assemble once more, from the same files, into another archive.',
        'Then load the second archive as well, and compare what assemble printed.',
        'slipway image assemble -o ~/two.tar -t assembled --layer ~/hello:/ --entrypoint /hello && docker load -i ~/two.tar',
      ],
      solution: [ASSEMBLE('two.tar'), 'docker load -i ~/two.tar'],
    },
  ],
  decoys: [
    { name: 'another image, called app', task: 'build', lines: ['docker pull busybox', 'docker tag busybox app'] },
    { name: 'a build without the name', task: 'build', lines: ['docker build ~/app'] },
    { name: 'twice, with the cache switched off', task: 'again', lines: [BUILD, 'docker build --no-cache -t app ~/app'] },
    { name: 'all from the cache, under another name', task: 'again', lines: [BUILD, 'docker build -t other ~/app'] },
    { name: 'the cache switched off, nothing changed', task: 'break', lines: [BUILD, 'docker build --no-cache -t app ~/app'] },
    { name: 'another time, the same files', task: 'break', lines: [BUILD, 'touch ~/app/main.sh', BUILD] },
    { name: 'the new order, nothing changed', task: 'mend', lines: [REORDERED, BUILD, BUILD] },
    { name: 'a change, the old order', task: 'mend', lines: [BUILD, CHANGE(2), BUILD] },
    {
      name: 'made by a build, saved and loaded',
      task: 'assemble',
      lines: ['docker build -t assembled ~/app', 'docker save -o ~/a.tar assembled', 'docker load -i ~/a.tar'],
    },
    { name: 'in an archive, and in no engine', task: 'assemble', lines: [TAKE_PROGRAM, ASSEMBLE('one.tar')] },
    {
      name: 'the same archive loaded twice',
      task: 'twice',
      lines: [TAKE_PROGRAM, ASSEMBLE('one.tar'), 'docker load -i ~/one.tar', 'docker load -i ~/one.tar'],
    },
    {
      name: 'another date each time',
      task: 'twice',
      lines: [
        TAKE_PROGRAM,
        `${ASSEMBLE('one.tar')} --created 1`,
        'docker load -i ~/one.tar',
        `${ASSEMBLE('two.tar')} --created 2`,
        'docker load -i ~/two.tar',
      ],
    },
  ],
  quiz: [
    {
      id: 'what-is-a-step',
      question: 'A Dockerfile has the lines COPY, ENV and CMD after its FROM. How many layers do they add?',
      options: ['Three, one for each line', 'One: only COPY changes files', 'None, layers come from RUN'],
      answer: 1,
      explanation:
        'ENV and CMD change the image’s configuration, which is a JSON document beside the layers. docker history shows 0B for them.',
    },
    {
      id: 'touch',
      question: 'You touch a file of the context, so that its time is new and its content is not, and build. What happens to COPY?',
      options: ['It is done anew: the file is newer', 'It is there already: what counts is content, mode and name', 'The build fails'],
      answer: 1,
      explanation: 'You can measure it: touch ~/app/main.sh, build, and look for "Using cache" below COPY.',
    },
    {
      id: 'why-different',
      question: 'Two builds with --no-cache from the same files gave two image ids. Why?',
      options: [
        'Each image gets a random number',
        'Times went in: of the files that RUN wrote, and of the steps in the history',
        'The base image changed in between',
      ],
      answer: 1,
      explanation:
        'An id is a digest of the configuration, which holds dates and the digests of the layers, whose files have dates again. A tool that writes all of them as 0, or as SOURCE_DATE_EPOCH says, gives the same id every time.',
    },
  ],
});
