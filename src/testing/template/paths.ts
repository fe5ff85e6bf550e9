import { pathSegment } from '../../core/wire.ts';

/** One contact, by its address. */
export function contactPath(address: string): string {
  return `/v1/contacts/${pathSegment(address)}`;
}
