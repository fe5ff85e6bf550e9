/** What the proxy does to a request. */
export type Fate =
  | { readonly do: 'pass' }
  /** Waits before it goes on, while the sender waits too. */
  | { readonly do: 'delay'; readonly ms: number }
  /** Brings the request to its end later, never longer than the grace; the sender waits, or is cut off. */
  | { readonly do: 'hold'; readonly ms: number; readonly cut: boolean }
  /** Cuts the connection; nothing arrives. */
  | { readonly do: 'lose' }
  /** The request arrives, and no answer comes back. */
  | { readonly do: 'mute' }
  /** The request arrives, and half of the answer comes back. */
  | { readonly do: 'truncate' }
  /** Arrives twice at once; the sender has the first answer, or the second. */
  | { readonly do: 'twice'; readonly answer: 0 | 1 }
  /** Arrives, the sender is cut off, and arrives again later: never longer than the grace. */
  | { readonly do: 'echo'; readonly ms: number }
  /** Arrives, and the sender is told that it failed. */
  | { readonly do: 'deny'; readonly status: number }
  /** Does not arrive, and the sender is told something that looks like success. */
  | { readonly do: 'feign'; readonly body: string }
  /** Does not arrive, and the sender is told so. */
  | { readonly do: 'refuse'; readonly status: number };

export type FateKind = Fate['do'];

/** How likely each fate is; what is left over passes. */
export type Weather = Readonly<Partial<Record<Exclude<FateKind, 'pass'>, number>>>;

/** From fair to foul, and some with one fault alone, which shows what a mixture hides. */
export const WEATHERS: readonly Weather[] = [
  {},
  { delay: 0.3 },
  { hold: 0.3 },
  { mute: 0.3 },
  { echo: 0.25 },
  { deny: 0.15, feign: 0.15 },
  { lose: 0.15, truncate: 0.15, twice: 0.2 },
  {
    delay: 0.1,
    hold: 0.1,
    lose: 0.05,
    mute: 0.05,
    truncate: 0.05,
    twice: 0.1,
    echo: 0.05,
    deny: 0.05,
    feign: 0.05,
    refuse: 0.05,
  },
  { hold: 0.4, mute: 0.3, refuse: 0.1 },
];

/** Those in which requests arrive late: what they meet then is seen where people move. */
export const LATE: readonly Weather[] = WEATHERS.filter(({ delay = 0, hold = 0, echo = 0 }) => delay + hold + echo > 0);

const NONSENSE = ['<html><body>Welcome to the airport</body></html>', '{"data":{"id":', '[]', ''];

/**
 * Draws what happens to one request.
 * @param graceMs nothing arrives later than this after the proxy has had it
 * @param random numbers in [0, 1)
 * @param proves whether an answer of this request has to prove success by its body: only then is a feigned one a fault that can be
 *   told from the truth
 */
export function drawFate(weather: Weather, graceMs: number, proves: boolean, random: () => number): Fate {
  let left = random();
  for (const [kind, chance] of Object.entries(weather) as [Exclude<FateKind, 'pass'>, number][]) {
    left -= chance;
    if (left >= 0) continue;
    if (kind === 'feign' && !proves) return { do: 'pass' };
    return fateOf(kind, graceMs, random);
  }
  return { do: 'pass' };
}

function fateOf(kind: Exclude<FateKind, 'pass'>, graceMs: number, random: () => number): Fate {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  // Timers are late, never early.
  const heldMs = (): number => Math.round(random() * (graceMs - 200));
  switch (kind) {
    case 'delay':
      return { do: kind, ms: Math.round(random() * 250) };
    case 'hold':
      return { do: kind, ms: heldMs(), cut: random() < 0.6 };
    case 'echo':
      return { do: kind, ms: heldMs() };
    case 'twice':
      return { do: kind, answer: pick([0, 1]) };
    case 'deny':
      return { do: kind, status: pick([500, 502, 504]) };
    case 'refuse':
      return { do: kind, status: pick([500, 503, 408]) };
    case 'feign':
      return { do: kind, body: pick(NONSENSE) };
    case 'lose':
    case 'mute':
    case 'truncate':
      return { do: kind };
    default:
      return kind satisfies never;
  }
}
