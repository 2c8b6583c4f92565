/**
 * The three files an engine writes for each container: /etc/hosts, /etc/hostname, /etc/resolv.conf. Pure text.
 *
 * Knows: their formats, and that a newline in a value must never become a line of its own.
 * Does not know: where they are kept or how they get into the container.
 */
import { EngineError } from '@slipway/errors';
import type { HostRequest } from './container.ts';

export interface EtcFiles {
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

export interface ContainerNames {
  readonly hostname: string;
  /** What follows it in the full name. */
  readonly domainname?: string;
}

const ADDRESS = /^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9a-fA-F:]{2,45}(%[a-zA-Z0-9]{1,15})?)$/;
const NAME = /^[a-zA-Z0-9_]([a-zA-Z0-9_.-]{0,252})$/;
const OPTION = /^[a-zA-Z0-9:-]{1,64}$/;

/**
 * @param hostResolvConf the engine's own resolv.conf, which a container in the host's network namespace shares
 * @throws EngineError invalid-argument for values that do not fit on one line of their file
 */
export function planEtcFiles({ hostname, domainname }: ContainerNames, host: HostRequest, hostResolvConf: string): EtcFiles {
  if (domainname !== undefined && !NAME.test(domainname)) throw refuse(`invalid domain name '${domainname}'`);
  const names = domainname === undefined ? hostname : `${hostname}.${domainname}\t${hostname}`;
  return { hosts: planHosts(names, host), hostname: `${hostname}\n`, resolvConf: planResolvConf(host, hostResolvConf) };
}

function planHosts(names: string, host: HostRequest): string {
  const extra = host.extraHosts.map((entry) => {
    const at = entry.indexOf(':');
    const [name, address] = [entry.slice(0, at), entry.slice(at + 1).replace(/^\[(.*)\]$/, '$1')];
    if (at < 1 || !NAME.test(name) || !ADDRESS.test(address)) throw refuse(`invalid extra host '${entry}'`, 'write it as name:address');
    return `${address}\t${name}`;
  });
  const fixed = [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::\tip6-localnet',
    'ff00::\tip6-mcastprefix',
    'ff02::1\tip6-allnodes',
    'ff02::2\tip6-allrouters',
  ];
  // Without an address of its own the name still has to resolve, or `hostname -f` and sudo stall.
  return `${[...fixed, `127.0.1.1\t${names}`, ...extra].join('\n')}\n`;
}

function planResolvConf(host: HostRequest, hostResolvConf: string): string {
  if (host.dns.length + host.dnsSearch.length + host.dnsOptions.length === 0) return host.network === 'host' ? hostResolvConf : '';
  const check = (values: readonly string[], pattern: RegExp, what: string) => {
    const bad = values.find((value) => !pattern.test(value));
    if (bad !== undefined) throw refuse(`invalid ${what} '${bad}'`);
  };
  check(host.dns, ADDRESS, 'DNS server address');
  check(host.dnsSearch, NAME, 'DNS search domain');
  check(host.dnsOptions, OPTION, 'DNS option');
  return [
    ...host.dns.map((address) => `nameserver ${address}\n`),
    ...(host.dnsSearch.length === 0 ? [] : [`search ${host.dnsSearch.join(' ')}\n`]),
    ...(host.dnsOptions.length === 0 ? [] : [`options ${host.dnsOptions.join(' ')}\n`]),
  ].join('');
}

function refuse(message: string, hint?: string): EngineError {
  return new EngineError('invalid-argument', message, {
    code: 'E_CONTAINER_CONFIG',
    op: 'container.create',
    ...(hint === undefined ? {} : { hint }),
  });
}
