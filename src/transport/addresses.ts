import { isIP } from 'node:net';

/**
 * What an IP address is to us.
 * - `public`: on the internet.
 * - `loopback`: this machine.
 * - `private`: a network somebody runs themselves (RFC 1918, RFC 6598, RFC 4193).
 * - `forbidden`: never a destination: link-local with the metadata services of clouds, multicast, reserved, unspecified.
 */
export type AddressKind = 'public' | 'loopback' | 'private' | 'forbidden';

// IANA special-purpose registries; the first match counts.
const V4: readonly (readonly [string, number, AddressKind])[] = [
  ['127.0.0.0', 8, 'loopback'],
  ['10.0.0.0', 8, 'private'],
  ['172.16.0.0', 12, 'private'],
  ['192.168.0.0', 16, 'private'],
  // Metadata of one cloud lies inside the shared address space.
  ['100.100.100.200', 32, 'forbidden'],
  ['100.64.0.0', 10, 'private'],
  ['0.0.0.0', 8, 'forbidden'],
  ['169.254.0.0', 16, 'forbidden'],
  ['192.0.0.0', 24, 'forbidden'],
  ['192.0.2.0', 24, 'forbidden'],
  ['192.88.99.0', 24, 'forbidden'],
  ['198.18.0.0', 15, 'forbidden'],
  ['198.51.100.0', 24, 'forbidden'],
  ['203.0.113.0', 24, 'forbidden'],
  ['224.0.0.0', 3, 'forbidden'],
];

function v4Number(text: string): number {
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function kindOfV4(address: number): AddressKind {
  for (const [network, bits, kind] of V4) {
    const size = 2 ** (32 - bits);
    if (Math.floor(address / size) === Math.floor(v4Number(network) / size)) return kind;
  }
  return 'public';
}

/** The eight 16-bit groups of a valid IPv6 address; the zone is dropped. */
function groups(text: string): readonly number[] {
  const plain = text.replace(/%.*$/, '').replace(/(\d+\.\d+\.\d+\.\d+)$/, (dotted) => {
    const value = v4Number(dotted);
    return `${Math.floor(value / 65_536).toString(16)}:${(value % 65_536).toString(16)}`;
  });
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const middle: string[] = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...middle, ...right].map((group) => Number.parseInt(group, 16));
}

function kindOfV6(address: readonly number[]): AddressKind {
  const [a = 0, b = 0, c = 0, , , f = 0, g = 0, h = 0] = address;
  const leadingZeros = address.findIndex((group) => group !== 0);
  if (leadingZeros === -1) return 'forbidden';
  if (leadingZeros === 7 && h === 1) return 'loopback';
  // An IPv4 address in IPv6 clothes is judged as what it is: mapped, compatible (obsolete), NAT64, 6to4.
  if (leadingZeros >= 6 || (leadingZeros === 5 && f === 0xffff)) return kindOfV4(g * 65_536 + h);
  if (a === 0x64 && b === 0xff9b && address.slice(2, 6).every((group) => group === 0)) return kindOfV4(g * 65_536 + h);
  if (a === 0x2002) return kindOfV4(b * 65_536 + c);
  if (a === 0xfd00 && b === 0xec2) return 'forbidden';
  if ((a & 0xfe00) === 0xfc00) return 'private';
  // Only 2000::/3 is handed out; in it, 2001::/23 (Teredo and kin) and the two documentation networks are not.
  if ((a & 0xe000) !== 0x2000) return 'forbidden';
  if (a === 0x2001 && (b < 0x200 || b === 0xdb8)) return 'forbidden';
  return a === 0x3fff && b < 0x1000 ? 'forbidden' : 'public';
}

/** What an IP address is; anything that is no IP address is `forbidden`. */
export function addressKind(ip: string): AddressKind {
  const version = isIP(ip);
  if (version === 4) return kindOfV4(v4Number(ip));
  return version === 6 ? kindOfV6(groups(ip)) : 'forbidden';
}
