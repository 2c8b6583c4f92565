/**
 * Dockerfiles as people write them: stages, variables, and what containers of an image are given.
 *
 * Knows: contexts, flags, and where ours may differ from buildah's and why.
 * Does not know: how anything is built or compared (build-comparison.ts).
 */
import type { DockerfileCase } from './dockerfile-case.ts';

const SHELL_OF_ENTRYPOINT = 'the shell form takes what SHELL says, as with docker; buildah of 2022 did not look';

export const DOCKERFILES_OF_WORDS: readonly DockerfileCase[] = [
  {
    name: 'two stages, the second of what the first has made',
    dockerfile: `FROM busybox AS build
WORKDIR /src
COPY . .
RUN mkdir out && cat main.txt lib/a.txt > out/program && chmod 755 out/program && ln -s program out/alias && chown -h 7:8 out/alias && chown -R 9:10 lib
FROM busybox
COPY --from=build /src/out/ /usr/local/bin/
COPY --from=0 /src/lib /opt/lib
COPY --from=busybox /etc/passwd /opt/
ENTRYPOINT ["/usr/local/bin/program"]
`,
    files: { 'main.txt': 'main\n', 'lib/a.txt': 'a\n', 'lib/deep/b.txt': 'b\n' },
  },
  {
    name: 'ARG before FROM, in FROM, in a stage again, and given',
    dockerfile: `ARG BASE=nothing
ARG TAG=latest
FROM \${BASE}:\${TAG} AS one
ARG TAG
ARG GIVEN=fallback
ARG EMPTY
ENV FROM_ARG=\${TAG} FROM_GIVEN=$GIVEN FROM_EMPTY="\${EMPTY:-none}" UNSEEN=$BASE
RUN echo "$TAG $GIVEN \${EMPTY-unset}" > /said
ENV GIVEN=environment
ARG GIVEN=again
RUN echo "$GIVEN" > /outranked
`,
    flags: ['--build-arg', 'BASE=busybox', '--build-arg', 'GIVEN=given'],
  },
  {
    name: 'platforms in FROM and in arguments',
    dockerfile: `ARG SUFFIX=linux
FROM busybox AS base-linux
ARG TARGETARCH
ARG TARGETOS
RUN echo "$TARGETOS $TARGETARCH" > /platform
FROM base-\${TARGETOS:-linux} AS last
COPY --from=base-linux /platform /copied
`,
  },
  {
    name: 'forms of ENV and LABEL',
    dockerfile: `FROM busybox
ENV OLD the rest of "the line"  with spaces
ENV A=1 B="two words" C='$A stays' D=a\\ b E="$A-\${B}" F=
ENV G=\${A:+set} H=\${NOTHING:+set} I=\${NOTHING:-word} J=\${F:-empty} K=\${NOTHING} L=\\$A
ENV A=2 M=$A
ENV N=$A PATH=/opt/bin:$PATH
LABEL plain=1 "with space"="v w" multi="first \\
second" dotted.name=$A
LABEL old style label
RUN env | grep -E '^[A-N]=' | sort > /env
`,
    differs: { 'config.Env': 'a variable that is set again keeps its place, as with docker; with buildah it becomes the last' },
  },
  {
    name: 'patterns in variables',
    dockerfile: `FROM busybox
ARG FILE=path/to/name.tar.gz
ENV A=\${FILE##*/} B=\${FILE#*/} C=\${FILE%%.*} D=\${FILE%.*} E=\${FILE/path/other} F=\${FILE//t/T} G=\${NOTHING-unset}
`,
    peerDockerfile: `FROM busybox
ENV A=name.tar.gz B=to/name.tar.gz C=path/to/name D=path/to/name.tar E=other/to/name.tar.gz F=paTh/To/name.Tar.gz G=unset
`,
  },
  {
    name: 'what only the configuration sees',
    dockerfile: `FROM busybox
MAINTAINER somebody <s@example.org>
EXPOSE 80 443/tcp 53/udp 8000-8002
HEALTHCHECK --interval=1m30s --timeout=5s --start-period=10s --retries=4 CMD wget -q http://localhost/ || exit 1
STOPSIGNAL SIGRTMIN+3
SHELL ["/bin/sh", "-euc"]
USER 1000:1001
VOLUME /data /more
VOLUME ["/with space", "/json"]
CMD ["before", "the entrypoint"]
ENTRYPOINT exec top -b
`,
    differs: {
      'config.Entrypoint': SHELL_OF_ENTRYPOINT,
      'config.ExposedPorts': 'a range is its ports, as with docker',
    },
  },
  {
    name: 'what a base brings, kept and overridden',
    dockerfile: `FROM busybox AS base
ENTRYPOINT ["one"]
CMD ["two"]
HEALTHCHECK CMD true
ENV A=1
EXPOSE 1
LABEL a=1
FROM base AS entry
ENTRYPOINT ["three"]
FROM entry
HEALTHCHECK NONE
SHELL ["/bin/sh", "-xc"]
CMD four $A
EXPOSE 2
LABEL b=2
`,
    differs: { 'config.Cmd': SHELL_OF_ENTRYPOINT },
  },
  {
    name: 'ONBUILD',
    dockerfile: `FROM busybox AS triggers
ONBUILD COPY a.txt /a
ONBUILD RUN echo \\
  triggered > /b
ONBUILD ENV X="y z"
ONBUILD USER 7
FROM triggers AS last
RUN id -u > /tmp/who
FROM busybox
COPY --from=last /a /b /tmp/who /got/
ONBUILD CMD echo not yet
`,
    files: { 'a.txt': 'a\n' },
  },
  {
    name: 'USER and WORKDIR',
    dockerfile: `FROM busybox
RUN mkdir /own && chown 1000 /own
USER 1000
WORKDIR /own
WORKDIR sub/../other
RUN pwd > /own/pwd && id -u >> /own/pwd
WORKDIR made/by/workdir
COPY a.txt .
ENV D=/from/env
WORKDIR $D
USER root
RUN echo $(pwd) $HOME > /root-says
USER daemon:users
RUN id -un > /tmp/daemon && id -gn >> /tmp/daemon
WORKDIR /of/daemon
USER nobody
WORKDIR /of/nobody
`,
    files: { 'a.txt': 'a\n' },
    isShort: true,
  },
  {
    name: 'continued lines, comments in between, and other cases of letters',
    dockerfile: `# escape=\`
from busybox as Base
run echo zero > /zero
FROM busybox
# a comment
run echo one > /one && \`
  # a comment in between

  echo 'back\\slash' > /two && \`
    echo three \`
      > /three
env A=a\`
b C="d \`
e"
copy --from=base /zero /four
cmd echo "not \`
joined"
`,
    peerDockerfile: `FROM busybox
RUN echo one > /one && echo 'back\\slash' > /two && echo three > /three && echo zero > /four
ENV A=ab C="d e"
CMD echo "not joined"
`,
  },
  {
    name: 'a target in the middle, from nothing, and labels from outside',
    dockerfile: `FROM busybox AS first
RUN mkdir -p /made/deep && echo 1 > /made/deep/file && chmod 700 /made
FROM scratch AS wanted
COPY --from=first /made /made
COPY a.txt /
WORKDIR /work
FROM busybox AS unwanted
RUN false
`,
    files: { 'a.txt': 'a\n' },
    flags: ['--target', 'wanted', '--label', 'given=outside'],
  },
];
