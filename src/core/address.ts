import type { RemoteContact } from './destination.ts';
import type { Json } from './json.ts';

/** In characters (RFC 5321: 64 before the @, 255 after). A longer one is none, and no index has to hold it. */
export const LONGEST_ADDRESS = 320;

/** Where a contact that was read stands: what the answer says where its id was asked for, else the address that was. */
export function addressRead(remote: RemoteContact, byId: boolean, email: Json | undefined): string | null {
  return byId && typeof email === 'string' ? email : remote.address;
}
