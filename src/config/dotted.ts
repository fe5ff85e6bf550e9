/**
 * Splits a text at its dots. A backslash makes the character behind it an ordinary one: `a\.b` is one name with a dot in it,
 * `\where` a column of the name of an option.
 */
export function splitDots(text: string): readonly [string, ...string[]] {
  const [first, ...rest] = pieces(text);
  return [first ?? '', ...rest];
}

function pieces(text: string): string[] {
  const done: string[] = [];
  let piece = '';
  for (const [token, escaped] of text.matchAll(/\\([^])|[^]/gu)) {
    if (token === '.') {
      done.push(piece);
      piece = '';
    } else {
      piece += escaped ?? token;
    }
  }
  return [...done, piece];
}
