/**
 * What a dataset names beside single files: everything under a place that ends in `/`, what fits a glob, each of these for every day
 * of a window. Pure: from the option of a plan to the patterns that files are held against.
 *
 * `*` stands for any text without a slash, `**` for any text. Names that begin with `.` or `_`, of files or of directories, are never
 * found: tools put marks there. Under a place that ends in `/`, only files that end in `.jsonl`, `.ndjson` or `.parquet` are read.
 */
import { windowDays, type DatasetOption } from '../config/dataset-schema.js';
import { NightstillError } from '../config/errors.js';
import { datePlaceholder, daysOfWindow } from '../config/scheduled-date.js';
import { localPathOf } from './file-source.js';

export interface DatasetPlaces {
  /** What the names of all files are relative to: a URL that ends in `/`, without parameters; of files, with their paths as they are. */
  readonly base: string;
  /** Of the store, such as `?region=…`; empty for files. */
  readonly parameters: string;
  readonly patterns: readonly Pattern[];
}

/** Relative to the base. */
export interface Pattern {
  /** What every name begins with that fits. */
  readonly prefix: string;
  /** A single file: the name is the prefix itself. */
  readonly isSingle: boolean;
  readonly fits: (name: string) => boolean;
  /** The day of the window that it is of. */
  readonly day?: string;
}

/** Does it name one file, wherever that lies? */
export const namesOneFile = (option: DatasetOption): option is string =>
  typeof option === 'string' && !isMany(pathOf(option));

/** @throws plan-invalid for a window that has no last day */
export function placesOf(option: DatasetOption): DatasetPlaces {
  const { from, window, until } = typeof option === 'string' ? { from: [option] } : { window: undefined, ...option };
  const [first = ''] = from;
  const urls = from.map(plainUrl);
  const base = commonDirectory(urls.map(fixedDirectory));
  return {
    base,
    parameters: first.slice(withoutParameters(first).length),
    patterns: daysOf(window, until).flatMap((day) =>
      urls.map((url) => ({
        ...patternOf(filled(url, day).slice(base.length)),
        ...(day !== undefined && { day }),
      })),
    ),
  };
}

/** The days of the window; without a window, one `undefined`. */
function daysOf(window: string | undefined, until: string | undefined): readonly (string | undefined)[] {
  if (window === undefined) return [undefined];
  if (until === undefined)
    throw new NightstillError('plan-invalid', 'dataset: expected the last day of its window, found none');
  return daysOfWindow(windowDays(window), until);
}

const filled = (url: string, day: string | undefined): string =>
  day === undefined ? url : url.replaceAll(datePlaceholder, day);

/** Without parameters; the path of a file as it is, since names of files are not encoded. @throws plan-invalid */
function plainUrl(url: string): string {
  if (!url.startsWith('file:')) return withoutParameters(url);
  return `file://${localPathOf(url)}`;
}

const pathOf = (url: string): string => withoutParameters(url).replace(/^[a-z0-9]+:\/\/[^/]*/, '');
const withoutParameters = (url: string): string => url.replace(/[?#].*$/s, '');
const isMany = (path: string): boolean => path.includes('*') || path.endsWith('/');

/** Up to what differs between the files that fit, or between days. */
function fixedDirectory(url: string): string {
  const end = [url.indexOf('*'), url.indexOf(datePlaceholder)].filter((index) => index >= 0);
  return url.slice(0, url.lastIndexOf('/', Math.min(url.length, ...end)) + 1);
}

function commonDirectory([first = '', ...others]: readonly string[]): string {
  let common = first;
  while (!others.every((other) => other.startsWith(common)))
    common = common.slice(0, common.lastIndexOf('/', common.length - 2) + 1);
  return common;
}

/** Whose name says that it holds rows. */
const rowFile = /\.(jsonl|ndjson|parquet)$/i;
export const tableFile = /\.parquet$/i;
const hidden = /(^|\/)[._]/;

function patternOf(path: string): Pattern {
  if (!isMany(path) && path !== '') return { prefix: path, isSingle: true, fits: (name) => name === path };
  const isPrefix = !path.includes('*');
  const fixed = isPrefix ? path : path.slice(0, path.indexOf('*'));
  const glob = isPrefix || path.endsWith('/') ? `${path}**` : path;
  const fitting = new RegExp(
    `^${glob
      .split(/(\*\*\/|\*\*|\*)/)
      .map(part)
      .join('')}$`,
    's',
  );
  const wantsRows = glob !== path;
  return {
    prefix: fixed,
    isSingle: false,
    fits: (name) =>
      fitting.test(name) && !hidden.test(name.slice(fixed.lastIndexOf('/') + 1)) && (!wantsRows || rowFile.test(name)),
  };
}

const wildcards: Readonly<Record<string, string>> = { '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*' };

const part = (text: string): string => wildcards[text] ?? text.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&');
