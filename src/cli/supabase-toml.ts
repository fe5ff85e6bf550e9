/**
 * A `supabase/config.toml` in which the platform leaves the check of a function's callers to the function: keys of the newer kind are no
 * JWTs. Everything else in it stays as it is, also comments.
 */
export function withFunction(text: string, name: string): string {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => new RegExp(`^\\s*\\[\\s*functions\\.${name}\\s*\\]`).test(line));
  if (at === -1) {
    const before = text.trim() === '' ? '' : `${text.trimEnd()}\n\n`;
    return `${before}[functions.${name}]\nverify_jwt = false\n`;
  }
  const after = lines.findIndex((line, n) => n > at && /^\s*\[/.test(line));
  const end = after === -1 ? lines.length : after;
  const found = lines.findIndex((line, n) => n > at && n < end && /^\s*verify_jwt\s*=/.test(line));
  if (found === -1) return lines.toSpliced(at + 1, 0, 'verify_jwt = false').join('\n');
  if (/^\s*verify_jwt\s*=\s*false\b/.test(lines[found] ?? '')) return text;
  return lines.with(found, 'verify_jwt = false').join('\n');
}
