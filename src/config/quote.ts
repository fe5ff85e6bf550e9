const LONGEST = 60;
// Anything that could steer a terminal or hide: controls, line separators, direction marks, lone surrogates.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Text from the file, in double quotes, fit for a message: cut to 60 characters, with unprintable characters escaped. */
export function quote(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
  return `"${cut.replaceAll(UNPRINTABLE, escape)}"`;
}

function escape(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
