import { hasCode } from '@slipway/errors';
import { describe, expect, test } from 'vitest';
import { readCreateRequest } from './create-request.ts';

const host = (HostConfig: object) => readCreateRequest({ Image: 'busybox', HostConfig }, undefined).host;
const isUnsupported = (error: unknown) => hasCode(error, 'E_API_UNSUPPORTED');

describe('every way to a host path, namespace or device is translated or refused [C03]', () => {
  test.each([
    { Devices: [{ PathOnHost: '/dev/sda' }] },
    { DeviceRequests: [{ Count: -1 }] },
    { DeviceCgroupRules: ['a *:* rwm'] },
    { VolumesFrom: ['other'] },
    { Links: ['other'] },
    { CgroupParent: '/' },
    { UsernsMode: 'container:x' },
    { PidMode: 'container:x' },
    { IpcMode: 'container:x' },
    { UTSMode: 'container:x' },
    { CgroupnsMode: 'container:x' },
    { NetworkMode: 'container:x' },
    { NetworkMode: 'bridge' },
    { PortBindings: { '80/tcp': [{ HostPort: '80' }] } },
    { Mounts: [{ Type: 'volume', Source: 'v', Target: '/v' }] },
    { Binds: ['named:/v'] },
    { SecurityOpt: ['seccomp={}'] },
    { SecurityOpt: ['apparmor=mine'] },
    { MaskedPaths: [] },
    { ReadonlyPaths: [] },
    { OomKillDisable: true },
    { RestartPolicy: { Name: 'always' } },
    { LogConfig: { Type: 'syslog' } },
  ])('%j is refused in a sentence', (config) => {
    expect(() => host(config)).toThrow(expect.toSatisfy(isUnsupported));
  });

  test.each([
    { IPAMConfig: { IPv4Address: '1.2.3.4' } },
    { IPAMConfig: { LinkLocalIPs: ['fe80::1'] } },
    { Aliases: ['db'] },
    { MacAddress: '02::1' },
  ])('of a network, %j is refused', (endpoint) => {
    const body = { Image: 'busybox', NetworkingConfig: { EndpointsConfig: { default: endpoint } } };
    expect(() => readCreateRequest(body, undefined)).toThrow(expect.toSatisfy(isUnsupported));
  });

  test('Binds and Mounts of type bind mean the same', () => {
    const [first] = host({ Binds: ['/a:/b:ro,rslave'] }).binds;
    const [second] = host({
      Mounts: [{ Type: 'bind', Source: '/a', Target: '/b', ReadOnly: true, BindOptions: { Propagation: 'rslave' } }],
    }).binds;
    expect(first).toEqual({ source: '/a', destination: '/b', readOnly: true, propagation: 'rslave', createSource: true });
    expect(second).toEqual({ ...first, createSource: false });
  });

  test('tmpfs by either field', () => {
    expect(
      host({ Tmpfs: { '/a': 'size=1m' }, Mounts: [{ Type: 'tmpfs', Target: '/b', TmpfsOptions: { SizeBytes: 5, Mode: 0o700 } }] }).tmpfs,
    ).toEqual({
      '/a': 'size=1m',
      '/b': 'size=5,mode=700',
    });
  });

  test('host namespaces', () => {
    expect(host({ PidMode: 'host', IpcMode: 'host', UTSMode: 'host', CgroupnsMode: 'host' }).hostNamespaces).toEqual([
      'pid',
      'ipc',
      'uts',
      'cgroup',
    ]);
    expect(host({ IpcMode: 'private', CgroupnsMode: 'private' }).hostNamespaces).toEqual([]);
  });
});

describe('one body, one meaning [C04]', () => {
  test('a field in another case is another field, and unknown ones mean nothing', () => {
    expect(host({ privileged: true, Privileged: false, PRIVILEGED: true }).privileged).toBe(false);
  });

  test('a key twice: the last one is the one that is used', () => {
    const body: unknown = JSON.parse('{"Image":"a","HostConfig":{"Privileged":true,"Privileged":false}}');
    expect(readCreateRequest(body, undefined).host.privileged).toBe(false);
  });

  test.each([
    { Image: 5 },
    { Image: 'a', Env: 'A=1' },
    { Image: 'a', Env: [1] },
    { Image: 'a', Tty: 'yes' },
    { Image: 'a', Labels: ['x'] },
    { Image: 'a', HostConfig: [] },
    { Image: 'a', HostConfig: { Memory: '64m' } },
    { Image: 'a', HostConfig: { Memory: 1.5 } },
    { Image: 'a', HostConfig: { Privileged: 'true' } },
    { Image: 'a', HostConfig: { Binds: ['/a'] } },
    { Image: 'a', HostConfig: { Binds: ['/a:/b:whatever'] } },
    [],
    'text',
  ])('%j is refused', (body) => {
    expect(() => readCreateRequest(body, undefined)).toThrow(expect.toSatisfy((error) => hasCode(error, 'E_API_REQUEST')));
  });

  test('what the docker client sends for nothing special is nothing special', () => {
    const body = {
      Hostname: '',
      Cmd: ['true'],
      Image: 'busybox',
      Volumes: null,
      Entrypoint: null,
      OnBuild: null,
      Labels: {},
      HostConfig: {
        Binds: null,
        NetworkMode: 'default',
        PortBindings: {},
        RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
        ConsoleSize: [0, 0],
        CapAdd: null,
        Dns: [],
        Devices: [],
        DeviceRequests: null,
        MemorySwappiness: -1,
        OomKillDisable: false,
        PidsLimit: 0,
        Ulimits: [],
        MaskedPaths: null,
        ReadonlyPaths: null,
        ContainerIDFile: '/tmp/id',
      },
      NetworkingConfig: { EndpointsConfig: { default: { IPAMConfig: null, Links: null, Aliases: null, MacAddress: '' } } },
    };
    const request = readCreateRequest(body, undefined);
    expect(request.command).toEqual(['true']);
    expect(request.host.resources).toEqual({});
    expect(request.consoleSize).toBeUndefined();
  });
});
