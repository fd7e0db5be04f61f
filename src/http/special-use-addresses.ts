import { BlockList, isIP } from 'node:net';

/**
 * IPv4 blocks that are no public host: the IANA IPv4 Special-Purpose Address Registry (RFC 6890), 6to4 relays
 * (RFC 7526), multicast (RFC 5771), reserved addresses with broadcast (RFC 1112 §4), and the one public address by
 * which Azure serves the platform's secrets to its machines (168.63.129.16). The metadata addresses of other clouds
 * are in link-local, shared and unique local blocks.
 */
const specialIpv4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const;

/**
 * Public IPv6 hosts are in 2000::/3 alone (RFC 4291 §2.4). What is outside needs no list: loopback, unspecified,
 * link-local, site-local, unique local, multicast, IPv4 in another spelling (mapped, compatible, translated) and NAT64
 * (RFC 6052). These blocks inside it are special: protocol assignments with Teredo, benchmarking and ORCHID,
 * documentation, 6to4 and AS112.
 */
const publicIpv6 = ['2000::', 3] as const;
const specialIpv6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
] as const;

const ipv4 = new BlockList();
for (const [block, bits] of specialIpv4) ipv4.addSubnet(block, bits, 'ipv4');
const ipv6 = new BlockList();
for (const [block, bits] of specialIpv6) ipv6.addSubnet(block, bits, 'ipv6');
const unicast = new BlockList();
unicast.addSubnet(...publicIpv6, 'ipv6');

const loopback = new BlockList();
// Linux connects to the unspecified address as to loopback.
for (const block of ['0.0.0.0', '127.0.0.0']) loopback.addSubnet(block, 8, 'ipv4');
loopback.addSubnet('::', 127, 'ipv6');

/** An address without its zone (RFC 4007 §11), which says nothing of the kind of address. */
const withoutZone = (address: string): string => address.replace(/%.*$/, '');

/**
 * Whether an IP address is anything else than a public host: private, of this machine, or with a special use.
 *
 * @param address An IP address without brackets. Any other text is special: it is never connected to.
 */
export function isSpecialUse(address: string): boolean {
  const bare = withoutZone(address);
  const family = isIP(bare);
  if (family === 4) return ipv4.check(bare, 'ipv4');
  return family !== 6 || !unicast.check(bare, 'ipv6') || ipv6.check(bare, 'ipv6');
}

/** The host of a URL without the brackets of IPv6 and the full stop of a complete name. */
export const bareHost = ({ hostname }: URL): string =>
  hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');

/** Whether the host of a URL is an IP address. */
export const isAddress = (url: URL): boolean => isIP(bareHost(url)) !== 0;

/** Whether a URL names this machine, by an address or by a name that always stands for it (RFC 6761 §6.3). */
export function isLoopbackHost(url: URL): boolean {
  const host = bareHost(url);
  const family = isIP(host);
  if (family === 0) return host === 'localhost' || host.endsWith('.localhost');
  return loopback.check(host, family === 6 ? 'ipv6' : 'ipv4');
}
