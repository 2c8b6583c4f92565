/**
 * Dockerfiles as people write them: what they put into an image.
 *
 * Knows: contexts, flags, and where ours may differ from buildah's and why.
 * Does not know: how anything is built or compared (build-comparison.ts).
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, linkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { DockerfileCase } from './dockerfile-case.ts';

const NO_ATTRIBUTES = 'a context is sent without attributes of users, as docker’s client does it';
const HARD_LINKS = 'two names of one file stay that, as with docker';
const DEEP_EXCEPTIONS = 'an exception with ** reaches below directories that are left out, as with BuildKit; buildah does not look there';
const MOUNT_POINTS = 'where only a mount was, nothing is left, as with docker';
const VOLUMES = 'what is written into a volume stays, as with BuildKit; buildah, as docker’s classic builder, forgets it';

const COPIES = `FROM busybox
WORKDIR /app
COPY --chown=daemon:users a.txt ./owned/
COPY --chown=12 a.txt owned/renamed
COPY --chmod=4711 --chown=5:6 d /tree/
COPY d /merged
COPY e /merged
COPY *.txt d/[m-o]*.t?t /many/
COPY ["with space.txt", "/quoted place/"]
COPY a.txt /new/place/file
COPY link /linked
COPY d/sub/ d/run.sh /both/
COPY --link a.txt /etc/linked.txt
COPY a.txt .
COPY . /all/
`;

export const DOCKERFILES_OF_FILES: readonly DockerfileCase[] = [
  {
    name: 'here-documents',
    dockerfile: `FROM busybox
RUN <<EOF
set -e
echo one > /one
for i in 1 2; do echo $i; done > /two
EOF
RUN cat <<A > /three && cat <<-"B" > /four
a $HOME
A
	b $HOME
	B
ARG WHO=me
COPY <<EOF <<'RAW' /etc/app/
hello $WHO
EOF
raw $WHO
RAW
COPY --chmod=750 --chown=3:4 <<script.sh /usr/bin/said
#!/bin/sh
echo \\$1
script.sh
`,
    peerDockerfile: `FROM busybox
RUN echo one > /one && printf '1\\n2\\n' > /two && printf 'a /root\\n' > /three && printf 'b $HOME\\n' > /four
COPY EOF RAW /etc/app/
COPY --chmod=750 --chown=3:4 script.sh /usr/bin/said
`,
    files: { EOF: 'hello me\n', RAW: 'raw $WHO\n', 'script.sh': '#!/bin/sh\necho $1\n' },
  },
  {
    name: 'COPY: owners, rights, names, patterns, and places that are not there',
    dockerfile: COPIES,
    peerDockerfile: COPIES.replace('COPY --link', 'COPY'),
    files: {
      'a.txt': 'a\n',
      'b.txt': 'b\n',
      'with space.txt': 's\n',
      'd/n.txt': 'n\n',
      'd/run.sh': '#!/bin/sh\n',
      'd/sub/x': 'x\n',
      'e/run.sh': 'other\n',
      'e/sub/y': 'y\n',
    },
    prepare: (context) => {
      chmodSync(join(context, 'd/run.sh'), 0o755);
      chmodSync(join(context, 'd/sub'), 0o2750);
      chownSync(join(context, 'd/n.txt'), 77, 78);
      linkSync(join(context, 'd/n.txt'), join(context, 'd/o.txt'));
      symlinkSync('a.txt', join(context, 'link'));
      symlinkSync('../../../outside', join(context, 'd/dangling'));
      setAttribute(join(context, 'b.txt'), 'user.note', 'kept');
    },
    differs: {
      '/all/b.txt': NO_ATTRIBUTES,
      '/many/b.txt': NO_ATTRIBUTES,
      '/all/d/sub': 'set-group-id of a directory is kept, as docker keeps it',
      '/many/n.txt': HARD_LINKS,
      '/many/o.txt': HARD_LINKS,
    },
    isShort: true,
  },
  {
    name: 'COPY through links in the image',
    dockerfile: `FROM busybox
RUN mkdir -p /usr/real /deep/er && ln -s /usr/real /abs && ln -s usr/real /rel && ln -s ../usr/real/made /deep/dangling && echo old > /usr/real/file && ln -s file /usr/real/tofile
COPY a.txt /abs/
COPY d /rel
COPY a.txt /rel/sub/new
COPY a.txt /usr/real/tofile
ADD a.tar /abs/unpacked/
WORKDIR /abs
COPY a.txt here
`,
    files: { 'a.txt': 'a\n', 'd/one': '1\n', 'd/two/three': '3\n' },
    prepare: (context) => tar(context, 'a.tar', 'd'),
    isShort: true,
  },
  {
    name: 'COPY that leaves out, and that keeps what is above',
    dockerfile: `FROM busybox
COPY --exclude=*.md --exclude=**/secret.txt src /kept/
COPY --parents src/./lib/*.txt src/x/y.txt /parents/
`,
    peerDockerfile: `FROM busybox
COPY kept /kept/
COPY parents /parents/
`,
    files: {
      'src/a.md': 'no',
      'src/a.txt': 'yes',
      'src/lib/secret.txt': 'no',
      'src/lib/b.txt': 'yes',
      'src/x/y.txt': 'y',
      'kept/a.txt': 'yes',
      'kept/lib/b.txt': 'yes',
      'kept/x/y.txt': 'y',
      'parents/lib/b.txt': 'yes',
      'parents/lib/secret.txt': 'no',
      'parents/src/x/y.txt': 'y',
    },
  },
  {
    name: 'ADD of archives, plain and compressed, and of what only looks like one',
    dockerfile: `FROM busybox
ADD a.tar /tar/
ADD a.tar.gz b.tar.bz2 c.tar.xz /many/
ADD --chown=9:10 a.tar /owned/
ADD not.tar plain.gz /files/
ADD d /directory
ADD a.tar /file-or-directory
`,
    files: { 'd/one': '1\n', 'd/two/three': '3\n', 'e/four': '4\n', 'f/five': '5\n', 'not.tar': 'no archive\n', plain: 'x\n' },
    prepare: (context) => {
      chownSync(join(context, 'd/one'), 41, 42);
      chmodSync(join(context, 'd/two'), 0o711);
      tar(context, 'a.tar', 'd');
      tar(context, 'a.tar.gz', 'd', '-z');
      tar(context, 'b.tar.bz2', 'e', '-j');
      tar(context, 'c.tar.xz', 'f', '-J');
      execFileSync('gzip', [join(context, 'plain')]);
    },
  },
  {
    name: 'ADD of an address',
    dockerfile: `FROM busybox
ADD ADDRESS/file.txt /by/name/
ADD --chmod=644 --chown=1:2 ADDRESS/file.txt /renamed
`,
  },
  {
    name: 'VOLUME, and what is written there afterwards',
    dockerfile: `FROM busybox
RUN mkdir -p /data/before && echo 1 > /data/before/file
VOLUME /data
RUN echo 2 > /data/after; echo 3 > /elsewhere
COPY a.txt /data/copied
VOLUME /not/there
RUN echo 4 > /not/there/either || true
`,
    files: { 'a.txt': 'a\n' },
    differs: { '/data/after': VOLUMES, '/not': VOLUMES, '/not/there': VOLUMES },
  },
  {
    name: '.dockerignore with exceptions',
    dockerfile: `FROM busybox
COPY . /context/
`,
    files: {
      '.dockerignore': `# a comment
*
!kept
!src/**/*.ts
src/skipped
!src/skipped/but-this
kept/*.log
!kept/important.log
**/node_modules
/rooted
`,
      'top.txt': 'no',
      'kept/a.txt': 'yes',
      'kept/a.log': 'no',
      'kept/important.log': 'yes',
      'kept/node_modules/x/index.js': 'no',
      'src/a.ts': 'yes',
      'src/deep/er/b.ts': 'yes',
      'src/deep/er/b.js': 'no',
      'src/skipped/c.ts': 'no',
      'src/skipped/but-this': 'yes',
      'rooted/x': 'no',
    },
    differs: {
      '/context/src/deep': DEEP_EXCEPTIONS,
      '/context/src/deep/er': DEEP_EXCEPTIONS,
      '/context/src/deep/er/b.ts': DEEP_EXCEPTIONS,
    },
  },
  {
    name: 'mounts of RUN leave nothing',
    dockerfile: `FROM busybox AS other
RUN mkdir /o && echo other > /o/file
FROM busybox
RUN --mount=type=cache,target=/var/cache/x,id=one,uid=5 touch /var/cache/x/kept && stat -c %u /var/cache/x > /owner
RUN --mount=type=cache,target=/var/cache/x,id=one,uid=5 ls /var/cache/x > /listed
RUN --mount=type=bind,target=/ctx cat /ctx/a.txt > /from-context
RUN --mount=type=bind,from=other,source=/o,target=/o cat /o/file > /from-stage
RUN --mount=type=tmpfs,target=/scratch echo x > /scratch/x && cat /scratch/x > /from-tmpfs
RUN --mount=type=secret,id=token cat /run/secrets/token > /spoken
RUN --mount=type=secret,id=token,target=/in/place,mode=0440 stat -c %a /in/place > /mode
`,
    files: { 'a.txt': 'a\n', 'token.txt': 'sesame\n', '.dockerignore': 'token.txt\n' },
    flags: ['--secret', 'id=token,src=token.txt'],
    differs: { '/in': MOUNT_POINTS, '/var/cache': MOUNT_POINTS },
  },
  {
    name: 'what was there before, changed by copies and commands',
    dockerfile: `FROM busybox
RUN mkdir -m 700 /d && chown 3:4 /d && echo old > /d/file && mkdir /d/was-directory && echo f > /d/was-file
COPY d /d
RUN rm -rf /d/was-directory && echo now a file > /d/was-directory && rm /d/was-file && mkdir /d/was-file
RUN setuid() { cp /bin/busybox /s && chown 9 /s && chmod 4755 /s; }; setuid
RUN mkfifo /fifo && ln /d/file /hard && rm -r /var/spool 2>/dev/null; touch /etc/passwd
`,
    files: { 'd/file': 'new\n', 'd/more/x': 'x\n' },
  },
];

function tar(context: string, archive: string, what: string, ...flags: readonly string[]): void {
  execFileSync('tar', [...flags, '--sort=name', '-cf', archive, what], { cwd: context });
}

function setAttribute(path: string, name: string, value: string): void {
  execFileSync('setfattr', ['-n', name, '-v', value, path]);
}
