/**
 * Whether a host name or address literal means this machine. Names other than `localhost` never do, whatever they resolve to.
 * @param host as in a URL: an IPv6 literal may stand in brackets
 */
export function isLoopbackHost(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, '');
  return bare === 'localhost' || bare === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(bare);
}
