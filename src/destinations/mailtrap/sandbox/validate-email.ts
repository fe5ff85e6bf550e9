const LOCAL_PART = /^[^\s@<>()[\]\\,;:"\p{Cc}]{1,64}$/u;
const LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]{0,61}[\p{L}\p{N}\p{M}])?$/u;

/**
 * What is wrong with an address, in the vendor's words, or null.
 * The words are the vendor's (import errors of contacts.openapi.yml); where exactly it draws the line is not published.
 */
export function emailError(value: unknown): string | null {
  if (value === undefined || value === null || value === '') return "can't be blank";
  if (typeof value !== 'string' || value.length > 254) return 'is invalid';
  const at = value.indexOf('@');
  const local = value.slice(0, at);
  const labels = value.slice(at + 1).split('.');
  if (at < 1 || !LOCAL_PART.test(local) || local.startsWith('.') || local.endsWith('.') || local.includes('..')) {
    return 'is invalid';
  }
  if (labels.length < 2 || !labels.every((label) => LABEL.test(label))) return 'is invalid';
  return (labels.at(-1) ?? '').length < 2 ? 'top level domain is too short' : null;
}
