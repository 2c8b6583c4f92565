/**
 * Requests for tests: the plainest container, to be changed in one place.
 *
 * Knows: defaults.
 * Does not know: any test.
 */
import type { ContainerRecord, ContainerRequest, HostRequest } from '../container.ts';

export const PLAIN_HOST: HostRequest = {
  binds: [],
  tmpfs: {},
  network: 'none',
  hostNamespaces: [],
  autoRemove: false,
  privileged: false,
  readonlyRootfs: false,
  capAdd: [],
  capDrop: [],
  noNewPrivileges: false,
  seccomp: 'default',
  resources: {},
  ulimits: [],
  sysctls: {},
  extraHosts: [],
  dns: [],
  dnsSearch: [],
  dnsOptions: [],
  groupAdd: [],
};

export function request(changes: Partial<ContainerRequest> = {}): ContainerRequest {
  const plain = { image: 'busybox', env: [], tty: false, openStdin: false, stdinOnce: false, labels: {}, host: PLAIN_HOST, api: 'docker' };
  return { ...plain, ...changes };
}

/** A running one. */
export const RECORD: ContainerRecord = {
  id: 'ab'.repeat(32),
  name: 'web',
  request: request(),
  process: { args: ['sleep'], env: [], cwd: '/', user: '', hostname: 'h', stopSignal: 15, labels: {} },
  imageId: '',
  createdAt: '',
  status: 'running',
};
