/** What a count of right answers says about the share of right answers. */
import { normalQuantile } from './normal.js';

export interface Interval {
  readonly lower: number;
  readonly upper: number;
  /** How often such an interval holds the true value, such as 0.95. */
  readonly level: number;
}

/** The z of a two-sided interval of this level. */
export const zOfLevel = (level: number): number => -normalQuantile((1 - level) / 2);

/** Wilson's score interval (JASA 22, 1927): sensible with few items and with none or all of them right. */
export function wilsonInterval(right: number, items: number, level = 0.95): Interval {
  const zz = zOfLevel(level) ** 2;
  const share = right / items;
  const centre = share + zz / (2 * items);
  const half = Math.sqrt(zz * ((share * (1 - share)) / items + zz / (4 * items * items)));
  const scale = 1 + zz / items;
  return {
    lower: right === 0 ? 0 : (centre - half) / scale,
    upper: right === items ? 1 : (centre + half) / scale,
    level,
  };
}

/**
 * Newcombe's interval for the difference of two shares that were counted on different items (Stat. Med. 17, 1998, method 10): that
 * of Wilson for each of them, put together.
 */
export function newcombeInterval(one: Count, other: Count, level = 0.95): Interval {
  const [first, second] = [one, other].map(({ right, items }) => ({
    share: right / items,
    ...wilsonInterval(right, items, level),
  })) as [Share, Share];
  const difference = first.share - second.share;
  return {
    lower: difference - Math.hypot(first.share - first.lower, second.upper - second.share),
    upper: difference + Math.hypot(first.upper - first.share, second.share - second.lower),
    level,
  };
}

export interface Count {
  readonly right: number;
  readonly items: number;
}

type Share = Interval & { readonly share: number };

/** When nothing was seen in so many items: the largest share that would still show nothing with probability 1 − level. */
export const zeroEventUpperBound = (items: number, level = 0.95): number => -Math.expm1(Math.log(1 - level) / items);
