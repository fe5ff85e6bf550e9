// The tables of states in SPEC.md, made of src/core/states. A test holds that they are what this gives.

const HEADS = { outdated_held: 'outdated, held' };

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

function row(cells) {
  return `| ${cells.map((each) => each.replaceAll('|', '\\|')).join(' | ')} |`;
}

function text(cell, letterOf) {
  if (typeof cell === 'string') {
    const [, name, mark] = /^(.*?)([?!]?)$/.exec(cell);
    return `${HEADS[name] ?? name}${mark}`;
  }
  if ('no' in cell) return letterOf(cell.no);
  const [sure, doubtful] = cell;
  return `${text(sure, letterOf)} / ${text(doubtful, letterOf)}`;
}

/** One table: what each state means, every happening in every state, and why what cannot happen cannot. */
function states({ order, meanings, table, impossible }) {
  const reasons = Object.keys(impossible);
  const letterOf = (reason) => `*${LETTERS[reasons.indexOf(reason)]}*`;
  return [
    row(['state', 'meaning']),
    '|---|---|',
    ...order.map((state) => row([`**${HEADS[state] ?? state}**`, meanings[state]])),
    '',
    row(['what happens', ...order.map((state) => HEADS[state] ?? state)]),
    `|${'---|'.repeat(order.length + 1)}`,
    ...Object.entries(table).map(([happening, cells]) =>
      row([
        happening.replace(/^settle (delivered|retry|throttle|reject|config|unknown)\b/, 'settle `$1`'),
        ...cells.map((cell) => text(cell, letterOf)),
      ]),
    ),
    '',
    `It cannot happen: ${reasons.map((reason) => `${letterOf(reason)} ${impossible[reason]}`).join('; ')}.`,
  ].join('\n');
}

/**
 * SPEC.md with its tables as the code has them.
 * @param spec its text, with a pair of marks around each table
 * @param tables by the name in the marks
 * @throws when a table has no marks
 */
export function withStates(spec, tables) {
  return Object.entries(tables).reduce((page, [name, table]) => {
    const begin = `<!-- ${name}: made by npm run docs -->\n`;
    const end = `\n<!-- end of ${name} -->`;
    const [from, to] = [page.indexOf(begin), page.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`SPEC.md has no place for ${name}`);
    return page.slice(0, from + begin.length) + states(table) + page.slice(to);
  }, spec);
}
