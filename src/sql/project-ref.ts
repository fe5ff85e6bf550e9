/**
 * Which project a database belongs to, told from outside it: the Supabase project ref where the host, the pooler's user or
 * the project's URL names it, else host and port. A clone or a restore elsewhere has another one.
 * Forms: `db.<ref>.supabase.co`, pooler user `postgres.<ref>`, `https://<ref>.supabase.co` (supabase.com/docs, "Connect to
 * your database").
 */
export function projectRef(databaseUrl: string, projectUrl: string | undefined): string {
  const database = new URL(databaseUrl);
  const direct = /^db\.([a-z0-9]+)\.supabase\.(?:co|com|red)$/.exec(database.hostname)?.[1];
  if (direct !== undefined) return direct;
  const pooled = /^[^.]+\.([a-z0-9]{16,})$/.exec(decodeURIComponent(database.username))?.[1];
  if (pooled !== undefined) return pooled;
  return hostedRef(projectUrl ?? '') ?? `${database.hostname}:${database.port === '' ? '5432' : database.port}`;
}

/** Which project it is that is read by its API: the ref where the URL names it, else host and port. */
export function apiProjectRef(projectUrl: string): string {
  return hostedRef(projectUrl) ?? new URL(projectUrl).host;
}

function hostedRef(projectUrl: string): string | undefined {
  return /^https:\/\/([a-z0-9]+)\.supabase\.(?:co|com|red)/.exec(projectUrl)?.[1];
}
