import { expect, test } from 'vitest';
import { applyChanges } from './apply-config.ts';

const EMPTY = { exposedPorts: [], env: [], volumes: [], labels: {} };

test('every instruction that changes the config', () => {
  const changes = [
    'ENV A=1 B="x y"',
    'ENV OLD $A and more',
    'CMD ["a b", "c\\"d"]',
    'ENTRYPOINT echo hi',
    'CMD later',
    'EXPOSE 80 1000-1002/udp',
    'HEALTHCHECK --interval=1m30s --retries=3 CMD curl x',
    'LABEL l=$B',
    'ONBUILD RUN x',
    'SHELL ["/bin/bash", "-c"]',
    'STOPSIGNAL SIGINT',
    'USER 1:2',
    'VOLUME /v "/w x"',
    'WORKDIR /a',
    'WORKDIR ../b/./c',
  ];
  expect(applyChanges(EMPTY, changes)).toEqual({
    env: ['A=1', 'B=x y', 'OLD=1 and more'],
    entrypoint: ['/bin/sh', '-c', 'echo hi'],
    cmd: ['/bin/sh', '-c', 'later'],
    exposedPorts: ['80/tcp', '1000/udp', '1001/udp', '1002/udp'],
    healthcheck: { test: ['CMD-SHELL', 'curl x'], interval: 90e9, retries: 3 },
    labels: { l: 'x y' },
    onBuild: ['RUN x'],
    shell: ['/bin/bash', '-c'],
    stopSignal: 'SIGINT',
    user: '1:2',
    volumes: ['/v', '/w x'],
    workingDir: '/b/c',
  });
});

test('an entrypoint takes the command of the old one away', () => {
  expect(applyChanges({ ...EMPTY, cmd: ['old'] }, ['ENTRYPOINT ["new"]'])).toEqual({ ...EMPTY, entrypoint: ['new'] });
});

test('a command that stands above an entrypoint is meant for it, and stays', () => {
  const changes = ['CMD ["own"]', 'ENTRYPOINT ["new"]'];
  expect(applyChanges({ ...EMPTY, cmd: ['old'] }, changes)).toEqual({ ...EMPTY, cmd: ['own'], entrypoint: ['new'] });
});

test.each([
  ['RUN x', 'RUN is not a valid change command'],
  ['MAINTAINER x', 'MAINTAINER is not a valid change command'],
  ['ENV', 'requires at least one argument'],
  ['ENV A=1 B', "can't find ="],
  ['EXPOSE 99999', 'invalid containerPort'],
  ['SHELL sh', 'JSON form'],
  ['STOPSIGNAL NOPE', 'Invalid signal'],
  ['HEALTHCHECK --interval=1x CMD y', 'invalid duration'],
  ['ONBUILD ONBUILD RUN x', 'Chaining ONBUILD'],
  ['ONBUILD FROM x', "isn't allowed as an ONBUILD trigger"],
  ['USER --x 1', 'unknown flag'],
])('%s is refused: %s', (change, message) => {
  expect(() => applyChanges(EMPTY, ['ENV OK=1', change])).toThrow(
    expect.objectContaining({ code: 'E_DOCKERFILE', message: expect.stringContaining(message), subject: '2' }),
  );
});
