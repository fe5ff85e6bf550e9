const PREFIX = 'whsec_';
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const LEAST_BYTES = 24;
const MOST_BYTES = 64;

/**
 * What is wrong with a signing secret, or undefined: `whsec_` and the base64 of 24 to 64 bytes (Standard Webhooks 1.0.0, "Signature
 * scheme"). The words never hold the secret.
 */
export function secretProblem(text: string): string | undefined {
  if (!text.startsWith(PREFIX)) return `must start with ${PREFIX}`;
  const base64 = text.slice(PREFIX.length);
  if (!BASE64.test(base64)) return `must be base64 after ${PREFIX} (with its = at the end)`;
  const bytes = (base64.length / 4) * 3 - (base64.length - base64.replace(/=+$/, '').length);
  if (bytes >= LEAST_BYTES && bytes <= MOST_BYTES) return undefined;
  return `holds ${bytes} bytes, and must hold ${LEAST_BYTES} to ${MOST_BYTES}: make one with \`openssl rand -base64 32\` and put ${PREFIX} before it`;
}

/** A signing secret made of any ASCII token, for the sandbox, whose tokens have no form. Not for secrets that must hold. */
export function secretOfToken(token: string): string {
  if (secretProblem(token) === undefined) return token;
  return PREFIX + btoa(token.padEnd(LEAST_BYTES, '.').slice(0, MOST_BYTES));
}
