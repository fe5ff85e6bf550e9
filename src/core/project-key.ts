import { isJsonObject } from './json.ts';
import { readJson } from './wire.ts';

/** What a key of a project opens: everything, what Row Level Security shows, or nobody can tell by its form. */
export type KeyKind = 'secret' | 'publishable' | 'unknown';

/**
 * What kind of key it is, by its form; of an old one, which is a JWT, by its role: any but `service_role` is under Row Level Security.
 * (Supabase's documentation, "Understanding API keys".)
 */
export function keyKind(key: string): KeyKind {
  if (key.startsWith('sb_secret_')) return 'secret';
  if (key.startsWith('sb_publishable_')) return 'publishable';
  if (!isJwt(key)) return 'unknown';
  const claims = readJson(decoded(key.split('.')[1] ?? ''));
  const role = isJsonObject(claims) ? claims['role'] : undefined;
  return role === 'service_role' ? 'secret' : typeof role === 'string' ? 'publishable' : 'unknown';
}

/** Whether a key is of the older kind. */
export function isJwt(key: string): boolean {
  return /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(key);
}

/**
 * The headers that a key goes in. A new key stands in `apikey` alone: it is no JWT. An old one is, and PostgREST takes the role from the
 * bearer token (Supabase's documentation, "Understanding API keys", "Known limitations").
 */
export function bearerOf(key: string): Readonly<Record<string, string>> {
  return isJwt(key) ? { authorization: `Bearer ${key}` } : {};
}

/** Base64url as text; empty where it is none. */
function decoded(text: string): string {
  try {
    return atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  } catch {
    return '';
  }
}
