/** What stands in for all values beyond the bound, and for those that are no plain words. */
const OTHER = 'other';
/** Stable words and numbers of ours, of Postgres and of destinations: `http_500`, `22P02`, `invalid_email`. */
const WORD = /^[\w.-]{0,40}$/;

/** A code as it is, or `other` when it is longer or other than a code: it may hold what somebody wrote. */
export function plainCode(value: string): string {
  return WORD.test(value) ? value : OTHER;
}

/**
 * Keeps the values of a metric's label few: the first `most` different ones stay as they are, all further ones become `other`, and
 * so does what is no plain code.
 */
export function boundedValues(most: number): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    const code = plainCode(value);
    if (code === OTHER || known.has(code)) return code;
    if (known.size >= most) return OTHER;
    known.add(code);
    return code;
  };
}
