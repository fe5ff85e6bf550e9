/** The environment as `process.env` gives it. */
export type Env = Readonly<Record<string, string | undefined>>;

/** What is wrong with one `${…}`; `token` is its text in the file. */
interface EnvProblem {
  readonly kind: 'missing' | 'syntax';
  /** The variable's name; empty for a syntax problem. */
  readonly name: string;
  readonly token: string;
}

interface Interpolated {
  readonly value: string;
  /** True when any of the value came from the environment (or from a default for it). */
  readonly fromEnv: boolean;
  readonly problems: readonly EnvProblem[];
}

const TOKEN = /\$\$\{|\$\{([^}]*)(\}?)/g;
const REFERENCE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([^]*))?$/;

/**
 * Puts the environment into a text: `${NAME}`, `${NAME:-default}` (for a variable that is unset or empty), and `$${` for a
 * literal `${`. Problems are returned, not thrown; their place in the value is left empty.
 */
export function interpolate(text: string, env: Env): Interpolated {
  if (!text.includes('${')) return { value: text, fromEnv: false, problems: [] };
  const problems: EnvProblem[] = [];
  let fromEnv = false;
  const value = text.replaceAll(TOKEN, (token: string, inner: string | undefined, close: string | undefined) => {
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
  });
  return { value, fromEnv, problems };
}
