/** A part of a form: a field, or a file. */
export interface FormPart {
  readonly name: string;
  readonly filename: string | undefined;
  readonly text: string;
}

/**
 * Reads a multipart form (RFC 7578) of texts.
 * @returns undefined when it is none
 */
export function readForm(contentType: string | undefined, body: string): readonly FormPart[] | undefined {
  const found = /^multipart\/form-data;.*\bboundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType ?? '');
  const boundary = found?.[1] ?? found?.[2];
  if (boundary === undefined) return undefined;
  const pieces = `\r\n${body}`.split(`\r\n--${boundary}`);
  if (pieces.length < 3 || pieces.shift() !== '' || !pieces.pop()?.startsWith('--')) return undefined;
  const parts: FormPart[] = [];
  for (const piece of pieces) {
    const end = piece.indexOf('\r\n\r\n');
    const head = piece.slice(0, end);
    const name = /^content-disposition:\s*form-data;.*?\bname="([^"]*)"/im.exec(head)?.[1];
    if (end < 0 || name === undefined) return undefined;
    parts.push({ name, filename: /\bfilename="([^"]*)"/i.exec(head)?.[1], text: piece.slice(end + 4) });
  }
  return parts;
}
