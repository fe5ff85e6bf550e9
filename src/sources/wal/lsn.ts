/** A position in the write-ahead log as Postgres writes it, `16/B374D848`, as a number. */
export function parseLsn(text: string): bigint {
  const [high = '', low = ''] = text.split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/** The opposite of `parseLsn`. */
export function formatLsn(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffffffffn).toString(16).toUpperCase()}`;
}

/** Microseconds between 1970 and 2000, from when on Postgres counts. */
const EPOCH_US = 946_684_800_000_000n;

/** A time as the replication protocol has it, in microseconds since 2000, as a text that Postgres reads exactly. */
export function formatTime(us: bigint): string {
  const all = us + EPOCH_US;
  const date = new Date(Number(all / 1_000n)).toISOString().slice(0, -1);
  return `${date}${String(all % 1_000n).padStart(3, '0')}+00`;
}
