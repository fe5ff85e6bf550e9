/** Breaks a text into lines of at most `width` characters, each after an indentation. A longer word stays whole. */
export function wrap(text: string, width: number, indent = ''): string {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.split(' ')) {
      if (line !== '' && indent.length + line.length + 1 + word.length > width) {
        lines.push(indent + line);
        line = word;
      } else line = line === '' ? word : `${line} ${word}`;
    }
    lines.push(indent + line);
  }
  return lines.join('\n');
}

/** A text after a label, broken into lines that begin below its first word. */
export function hanging(label: string, text: string, width: number): string {
  return label + wrap(text, width, ' '.repeat(label.length)).trimStart();
}

/** Rows in columns, two spaces apart. `align` has one letter a column: `l` or `r`. */
export function columns(rows: readonly (readonly string[])[], align: string, indent = '  '): string {
  const widths = align.split('').map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const cell = (text: string, i: number): string =>
    align[i] === 'r' ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0);
  return rows.map((row) => (indent + row.map(cell).join('  ')).trimEnd()).join('\n');
}

/** At most `width` characters, with an ellipsis when cut. */
export function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  const left = text.slice(0, Math.max(0, width - 1));
  // Half of a letter of two units is none.
  return `${/[\uD800-\uDBFF]$/.test(left) ? left.slice(0, -1) : left}…`;
}

/** `1 contact`, `1,204 contacts`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`;
}

/** A time to the minute: `2026-01-02 03:04 UTC`. @param at ISO 8601, or what the database makes of a time in JSON */
export function utc(at: string): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** A duration in its two largest units: `4 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `${Math.floor(hours / 24)} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
