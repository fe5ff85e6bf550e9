/** A database as it may be shown: `host/name`, without user, password and parameters. */
export function whereIs(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  return `${url.host}${decodeURIComponent(url.pathname)}`;
}
