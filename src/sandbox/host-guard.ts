import { isLoopbackHost } from '../core/loopback.ts';

const WILDCARDS = new Set(['0.0.0.0', '::', '']);

/**
 * A check of the `Host` header against DNS rebinding: a page elsewhere that makes its own name point at this machine
 * still sends its own name. Loopback names and the bound host pass; bound to a wildcard address, every name does.
 */
export function hostGuard(boundHost: string): (hostHeader: string | undefined) => boolean {
  if (WILDCARDS.has(boundHost)) return () => true;
  const own = boundHost.toLowerCase();
  return (header) => {
    if (header === undefined) return false;
    const host = header.toLowerCase().replace(/:\d*$/, '');
    return host === own || isLoopbackHost(host);
  };
}
