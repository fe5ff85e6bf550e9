/** Where a path leads, with what it names, decoded. */
export interface Route {
  readonly to:
    | 'account'
    | 'contacts'
    | 'batch'
    | 'import'
    | 'contact'
    | 'lists'
    | 'list'
    | 'members'
    | 'join'
    | 'leave'
    | 'folders'
    | 'folder'
    | 'folder_lists'
    | 'attributes'
    | 'attribute'
    | 'process'
    | 'events'
    | 'event_batch';
  readonly names: readonly string[];
}

const ROUTES: readonly (readonly [RegExp, Route['to']])[] = [
  [/^\/contacts$/, 'contacts'],
  [/^\/contacts\/batch$/, 'batch'],
  [/^\/contacts\/import$/, 'import'],
  [/^\/contacts\/lists$/, 'lists'],
  [/^\/contacts\/lists\/(\d{1,15})$/, 'list'],
  [/^\/contacts\/lists\/(\d{1,15})\/contacts$/, 'members'],
  [/^\/contacts\/lists\/(\d{1,15})\/contacts\/add$/, 'join'],
  [/^\/contacts\/lists\/(\d{1,15})\/contacts\/remove$/, 'leave'],
  [/^\/contacts\/folders$/, 'folders'],
  [/^\/contacts\/folders\/(\d{1,15})$/, 'folder'],
  [/^\/contacts\/folders\/(\d{1,15})\/lists$/, 'folder_lists'],
  [/^\/contacts\/attributes$/, 'attributes'],
  [/^\/contacts\/attributes\/([^/]+)\/([^/]+)$/, 'attribute'],
  [/^\/contacts\/([^/]+)$/, 'contact'],
  [/^\/processes\/(\d{1,15})$/, 'process'],
  [/^\/events$/, 'events'],
  [/^\/events\/batch$/, 'event_batch'],
  [/^\/account$/, 'account'],
];

/** A path below the stand-in, with the version of the API in it or without. */
function bare(path: string): string {
  return path.replace(/^\/v3(?=\/)/, '');
}

/** Reads a path, still URL-encoded; null when it leads nowhere. */
export function parsePath(path: string): Route | null {
  const wanted = bare(path);
  for (const [pattern, to] of ROUTES) {
    const match = pattern.exec(wanted);
    if (match === null) continue;
    try {
      return { to, names: match.slice(1).map((name) => decodeURIComponent(name)) };
    } catch {
      return null;
    }
  }
  return null;
}

/** Which limit counts a request (developers.brevo.com/docs/api-limits). */
export function bucketOf(path: string): 'contacts' | 'events' | 'other' {
  if (/^\/contacts(?:\/|$)/.test(bare(path))) return 'contacts';
  return /^\/events(?:\/|$)/.test(bare(path)) ? 'events' : 'other';
}
