/** Where a path of the Contacts API leads. Both path styles lead to the same places. */
export type Route =
  | { readonly to: 'contacts' | 'lists' | 'fields' | 'imports' | 'exports' }
  | { readonly to: 'contact' | 'events'; readonly identifier: string }
  | { readonly to: 'list' | 'field' | 'import' | 'export'; readonly id: number };

export interface Address {
  readonly route: Route;
  /** The account in the path, in the older style. */
  readonly accountId: string | null;
}

const BASE = /^\/api(?:\/accounts\/([^/]+))?\/contacts(?:\/(.+))?$/;
const COLLECTIONS = { lists: 'list', fields: 'field', imports: 'import', exports: 'export' } as const;

/** Reads a path, still URL-encoded; null when it leads nowhere. */
export function parsePath(path: string): Address | null {
  const match = BASE.exec(path);
  if (match === null) return null;
  const route = match[2] === undefined ? ({ to: 'contacts' } as const) : routeOf(match[2].split('/'));
  return route === null ? null : { route, accountId: match[1] ?? null };
}

function routeOf(parts: readonly string[]): Route | null {
  const [first = '', second] = parts;
  if (parts.length > 2 || first === '') return null;
  if (Object.hasOwn(COLLECTIONS, first)) {
    const collection = first as keyof typeof COLLECTIONS;
    if (second === undefined) return { to: collection };
    return /^\d{1,15}$/.test(second) ? { to: COLLECTIONS[collection], id: Number(second) } : null;
  }
  const identifier = decode(first);
  if (identifier === null || (second !== undefined && second !== 'events')) return null;
  return { to: second === undefined ? 'contact' : 'events', identifier };
}

function decode(segment: string): string | null {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
