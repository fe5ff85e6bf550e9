/**
 * What a rejected `fetch` says: whether it is known that no byte of the request left, and a code as Node has them.
 *
 * Node's fetch (undici) keeps the socket's error as the cause. Deno's wraps the words of hyper and its connector: `client error
 * (Connect)` comes from making the connection and from nothing later (hyper-util, `client::legacy::Error`), and names why.
 */
export function fetchFailure(error: unknown): { readonly before: boolean; readonly code: string } {
  const texts: string[] = [];
  for (let each = error; each instanceof Error && texts.length < 5; each = each.cause) {
    const { code } = each as { code?: unknown };
    if (typeof code === 'string' && NODE_BEFORE.test(code)) return { before: true, code };
    texts.push(each.message);
  }
  const text = texts.join(' ');
  if (!/client error \(Connect\)/.test(text)) return { before: false, code: '' };
  return { before: true, code: DENO_BEFORE.find(([pattern]) => pattern.test(text))?.[1] ?? '' };
}

/** Of a socket that never was connected, or whose other side could not prove itself. */
const NODE_BEFORE =
  /^(?:ENOTFOUND|EAI_\w+|ENODATA|ECONNREFUSED|UND_ERR_CONNECT_TIMEOUT|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ERR_TLS_\w+|ERR_SSL_\w+|CERT_\w+|UNABLE_TO_\w+|\w*SELF_SIGNED\w*)$/;

const DENO_BEFORE: readonly (readonly [RegExp, string])[] = [
  [/dns error/i, 'ENOTFOUND'],
  [/connection refused/i, 'ECONNREFUSED'],
  [/unreachable/i, 'ENETUNREACH'],
  [/timed? ?out/i, 'ETIMEDOUT'],
  [/certificate|tls|handshake/i, 'ERR_TLS_HANDSHAKE'],
];
