/**
 * What an IP address reaches: the world, a private network, this machine.
 *
 * Knows: the special ranges of IPv4 and IPv6, also those of IPv4 addresses that are written as IPv6 ones.
 * Does not know: names; nor what may be reached (the caller decides by scope).
 */
import { BlockList, isIP } from 'node:net';

/** `reserved`: no host has such an address (multicast, documentation, broadcast). */
export type AddressScope = 'public' | 'private' | 'loopback' | 'link-local' | 'reserved';

const RANGES: readonly (readonly [scope: AddressScope, subnets: readonly string[]])[] = [
  // Linux takes 0.0.0.0 and :: for itself.
  ['loopback', ['127.0.0.0/8', '0.0.0.0/32', '::1/128', '::/128']],
  ['link-local', ['169.254.0.0/16', 'fe80::/10']],
  [
    'private',
    ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '198.18.0.0/15', 'fc00::/7', 'fec0::/10', '64:ff9b:1::/48'],
  ],
  [
    'reserved',
    [
      '0.0.0.0/8',
      '192.0.0.0/24',
      '192.0.2.0/24',
      '198.51.100.0/24',
      '203.0.113.0/24',
      '224.0.0.0/3',
      'ff00::/8',
      '2001:db8::/32',
      '100::/64',
    ],
  ],
];

const LISTS = RANGES.map(([scope, subnets]) => [scope, blockList(subnets)] as const);

/**
 * The scope of a literal address, `127.0.0.1` or `::1` (without brackets); undefined for what is no address.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry and its IPv6 sibling
 */
export function addressScope(address: string): AddressScope | undefined {
  const family = isIP(address);
  if (family === 0) return undefined;
  const embedded = family === 6 ? embeddedIpv4(address) : undefined;
  const [text, kind] =
    embedded === undefined ? [address, family === 6 ? ('ipv6' as const) : ('ipv4' as const)] : [embedded, 'ipv4' as const];
  return LISTS.find(([, list]) => list.check(text, kind))?.[0] ?? 'public';
}

/** Whether a literal address lies in `network/bits`; false where either is not what it should be. */
export function isInSubnet(address: string, subnet: string): boolean {
  const [net = '', bits = ''] = subnet.split('/');
  const [family, ours] = [isIP(net), isIP(address)];
  if (family === 0 || ours === 0 || !/^[0-9]{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) return false;
  return blockList([subnet]).check(address, ours === 4 ? 'ipv4' : 'ipv6');
}

function blockList(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [net = '', bits] = subnet.split('/');
    list.addSubnet(net, Number(bits), net.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** ::ffff:0:0/96 (mapped), ::/96 (compatible), 64:ff9b::/96 (NAT64) and 2002::/16 (6to4) carry an IPv4 address that is reached in the end. */
function embeddedIpv4(address: string): string | undefined {
  const groups = expand(address);
  const inFront = (...wanted: readonly number[]) => wanted.every((group, at) => groups[at] === group);
  if (inFront(0x2002)) return dotted(groups[1], groups[2]);
  const isMapped = inFront(0, 0, 0, 0, 0, 0xffff) || inFront(0x64, 0xff9b, 0, 0, 0, 0);
  const isCompatible = inFront(0, 0, 0, 0, 0, 0) && groups[6] !== 0;
  return isMapped || isCompatible ? dotted(groups[6], groups[7]) : undefined;
}

function dotted(high = 0, low = 0): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** The eight groups; URL's parser writes every spelling as one. */
function expand(address: string): readonly number[] {
  const text = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1);
  const [head = '', tail] = text.split('::');
  const read = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const [front, back] = [read(head), tail === undefined ? [] : read(tail)];
  return [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back];
}
