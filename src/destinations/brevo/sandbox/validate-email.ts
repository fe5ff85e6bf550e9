import type { Json } from '../../../core/json.ts';

const LOCAL_PART = /^[^\s@<>()[\]\\,;:"\p{Cc}]{1,64}$/u;
const DOMAIN = /^(?:[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]{0,61}[\p{L}\p{N}\p{M}])?\.)+[\p{L}\p{N}\p{M}-]{2,63}$/u;

/** Whether a value is an address that the vendor would take; where exactly it draws the line is not published. */
export function isAddress(value: Json | undefined): value is string {
  if (typeof value !== 'string' || value.length > 254) return false;
  const at = value.lastIndexOf('@');
  const local = value.slice(0, at);
  return at > 0 && LOCAL_PART.test(local) && !/^\.|\.$|\.\./.test(local) && DOMAIN.test(value.slice(at + 1));
}
