/** The environment as `process.env` gives it. */
export type Env = Readonly<Record<string, string | undefined>>;

/** What is wrong with one `${…}`; `token` is its text in the file. */
interface EnvProblem {
  readonly kind: 'missing' | 'syntax';
  /** The variable's name; empty for a syntax problem. */
  readonly name: string;
  readonly token: string;
}

/** A text as it is, or the name of a secret in Vault that stands in its place. */
export type VaultPart = string | { readonly secret: string };

interface Interpolated {
  /** Without what stands in Vault. */
  readonly value: string;
  /** The whole text in parts, where some of it stands in Vault. */
  readonly vault: readonly VaultPart[] | undefined;
  /** True when any of the value came from the environment (or from a default for it). */
  readonly fromEnv: boolean;
  readonly problems: readonly EnvProblem[];
}

const TOKEN = /\$\$\{|\$\{([^}]*)(\}?)/g;
const SECRET = /^vault:\s*([^\s{}](?:[^{}\p{Cc}]{0,253}[^\s{}])?)\s*$/u;
const REFERENCE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([^]*))?$/;

/**
 * Puts the environment into a text: `${NAME}`, `${NAME:-default}` (for a variable that is unset or empty), and `$${` for a
 * literal `${`. `${vault:NAME}` is a secret in Vault, which is read later. Problems are returned, not thrown; their place in
 * the value is left empty.
 */
export function interpolate(text: string, env: Env): Interpolated {
  if (!text.includes('${')) return { value: text, vault: undefined, fromEnv: false, problems: [] };
  const problems: EnvProblem[] = [];
  let fromEnv = false;
  const secret = (inner: string | undefined, close: string | undefined): string | undefined =>
    inner === undefined || close === '' ? undefined : SECRET.exec(inner)?.[1];
  const plain = (token: string, inner: string | undefined, close: string | undefined): string => {
    if (inner === undefined) return '${';
    const reference = close === '' ? null : REFERENCE.exec(inner);
    if (reference === null) {
      problems.push({ kind: 'syntax', name: '', token });
      return '';
    }
    fromEnv = true;
    const [, name = '', fallback] = reference;
    const found = Object.hasOwn(env, name) ? env[name] : undefined;
    if (fallback !== undefined) return found === undefined || found === '' ? fallback : found;
    if (found === undefined) problems.push({ kind: 'missing', name, token });
    return found ?? '';
  };
  const parts: VaultPart[] = [];
  let from = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [token, inner, close] = match;
    const name = secret(inner, close);
    parts.push(text.slice(from, match.index), name === undefined ? plain(token, inner, close) : { secret: name });
    from = match.index + token.length;
  }
  parts.push(text.slice(from));
  const value = parts.filter((part) => typeof part === 'string').join('');
  const vault = parts.every((part) => typeof part === 'string') ? undefined : parts.filter((part) => part !== '');
  return { value, vault, fromEnv: fromEnv || vault !== undefined, problems };
}
