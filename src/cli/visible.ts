import type { TextStream } from './io.ts';

/** Colours of ours (see `paint.ts`); all that is a control character beside ends of lines and tabs; and what turns the order of letters. */
// oxlint-disable-next-line no-control-regex
const HARMFUL = /(?!\u001B\[(?:1|2|22|31|32|33|39)m)(?![\n\t])\p{Cc}|[\u202A-\u202E\u2066-\u2069]/gu;

/**
 * A text as a terminal may have it. Addresses, rows and the words of destinations are written by strangers: what would move the cursor,
 * hide lines or fill the clipboard is shown as `\u001b`. In a pipe a text is what it is.
 */
export function visible(text: string, { isTTY }: TextStream): string {
  if (isTTY !== true) return text;
  return text.replaceAll(HARMFUL, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
