/**
 * How a plan names rows: a file or an object; all under a place that ends in `/`; what fits a glob; several of these; and each of
 * them for a window of days. A single file stays the text that it was, so that it has the identity that it always had.
 */
import { z } from 'zod';
import { datePlaceholder, isDate } from './scheduled-date.js';
import { sourceUrlSchema } from './source-url.js';

/** URLs encode braces. */
const encodedPlaceholder = '%7B%7BscheduledDate%7D%7D';

const place = sourceUrlSchema.transform((url) => url.replaceAll(encodedPlaceholder, datePlaceholder));

const longestWindowDays = 366;
const windowPattern = /^([1-9]\d{0,2})d$/;

const inOnePlace = 'places on this machine, or in one bucket that is reached in one way';

const several = z
  .strictObject({
    from: z
      .union([place, z.array(place).min(1).max(100)])
      .describe('A file or an object, all under a place that ends in `/`, or a glob; or a list of these.'),
    window: z
      .string()
      .regex(windowPattern, `a number of days such as 7d, up to ${longestWindowDays}d`)
      .refine((text) => windowDays(text) <= longestWindowDays, `at most ${longestWindowDays}d`)
      .optional()
      .describe(`As many days, each in the place of ${datePlaceholder} in \`from\`: \`7d\`.`),
    until: z
      .string()
      .refine(isDate, 'a day such as 2026-11-27')
      .optional()
      .describe('The last day of the window. Default: that of the night.'),
  })
  .refine(({ from, window }) => window === undefined || asList(from).every(namesDay), {
    path: ['window'],
    error: `a window only where each from names the day with ${datePlaceholder}`,
  })
  .refine(({ window, until }) => window !== undefined || until === undefined, {
    path: ['until'],
    error: 'none without a window',
  })
  .refine(({ from }) => new Set(asList(from).map(rootOf)).size === 1, { path: ['from'], error: inOnePlace })
  .transform(({ from, window, until }) => {
    const [only, ...others] = asList(from);
    if (window === undefined && only !== undefined && others.length === 0) return only;
    return { from: [...asList(from)], ...(window !== undefined && { window }), ...(until !== undefined && { until }) };
  });

/** A text, or in its complete form `{ from: […], window, until }`. */
export const datasetSchema = z.union([place, several], {
  error: 'an absolute path, or a file:// or s3:// URL, or an object with from, window, until',
});
export type DatasetOption = z.output<typeof datasetSchema>;

export const windowDays = (window: string): number => Number(windowPattern.exec(window)?.[1]);

const asList = (from: string | readonly string[]): readonly string[] => (typeof from === 'string' ? [from] : from);

const namesDay = (url: string): boolean => url.includes(datePlaceholder);

/** What is reached in one way: this machine, or a bucket with the parameters of its URL. */
function rootOf(url: string): string {
  const { protocol, host, search } = new URL(url);
  return `${protocol}//${host}${search}`;
}
