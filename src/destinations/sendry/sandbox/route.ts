/** Where a path leads. */
export type Route =
  | {
      readonly to:
        | 'contacts'
        | 'by-email'
        | 'import'
        | 'bulk-import'
        | 'audiences'
        | 'events'
        | 'unsubscribes'
        | 'unsubscribe-batch'
        | 'suppression';
    }
  | { readonly to: 'contact' | 'audience' | 'members' | 'event' | 'unsubscribe'; readonly id: string }
  | { readonly to: 'suppressed'; readonly email: string }
  | { readonly to: 'member'; readonly id: string; readonly contact: string };

const ONES = {
  contacts: 'contact',
  audiences: 'audience',
  events: 'event',
  unsubscribes: 'unsubscribe',
} as const;

/** Reads a path, still URL-encoded; null when it leads nowhere. */
export function parsePath(path: string): Route | null {
  const parts = path.split('/').map(decode);
  if (parts.length < 3 || parts[0] !== '' || parts[1] !== 'v1' || parts.some((part) => part === null)) return null;
  const [, , collection = '', id, below, member, ...more] = parts as string[];
  if (more.length > 0 || parts.slice(2).includes('')) return null;
  if (id === undefined) {
    if (collection === 'suppression' || Object.hasOwn(ONES, collection)) return { to: collection as 'contacts' };
    return null;
  }
  if (collection === 'audiences' && below === 'contacts') {
    return member === undefined ? { to: 'members', id } : { to: 'member', id, contact: member };
  }
  if (below !== undefined) return null;
  if (collection === 'suppression') return { to: 'suppressed', email: id };
  if (collection === 'contacts' && (id === 'by-email' || id === 'import' || id === 'bulk-import')) return { to: id };
  if (collection === 'unsubscribes' && id === 'batch') return { to: 'unsubscribe-batch' };
  return Object.hasOwn(ONES, collection) ? { to: ONES[collection as keyof typeof ONES], id } : null;
}

function decode(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
