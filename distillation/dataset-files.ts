/**
 * The files of a dataset: one, or those that are listed where it names several. A listing is an identity: it says of each file which
 * version it is, in the order in which they are read, and whoever reads by it sees those versions and no others, whatever arrives
 * meanwhile. The order is that of the places as they are named, the oldest day first, and below it of the names, by their bytes.
 */
import { z } from 'zod';
import type { DatasetOption } from '../config/dataset-schema.js';
import { hasCode, NightstillError } from '../config/errors.js';
import { namesOneFile, placesOf, type DatasetPlaces, type Pattern } from './dataset-places.js';
import {
  openDatasetSource,
  sourceIdentitySchema,
  type Abortable,
  type DatasetSource,
  type SourceIdentity,
} from './dataset-source.js';
import { directoryListing, objectListing, type FileListing } from './file-listings.js';

const fileSchema = sourceIdentitySchema.omit({ uri: true }).extend({ name: z.string() });

/** Of a dataset of one file, the identity of that file; of several, the list of them. */
export const datasetIdentitySchema = z.union([
  z.object({ uri: z.string(), files: z.array(fileSchema) }),
  sourceIdentitySchema,
]);
export type DatasetIdentity = Readonly<z.output<typeof datasetIdentitySchema>>;
type ListedFile = z.output<typeof fileSchema>;

export interface DatasetFile {
  readonly source: DatasetSource;
  readonly identity: SourceIdentity;
  /** Among the files of its dataset; undefined where there is one alone. */
  readonly name?: string;
}

export interface DatasetFiles {
  /** @throws dataset-missing, dataset-files-too-many */
  identify(): Promise<DatasetIdentity>;
  /** In the order in which they are read. */
  open(identity: DatasetIdentity): readonly DatasetFile[];
  /** Days of its window of which the identity has no file. */
  emptyDays(identity: DatasetIdentity): readonly string[];
  close(): Promise<void>;
}

/** A plan of a night stays in Temporal's history, and so does what it reads. */
const mostFiles = 2000;
const longestListing = 400_000;

/** @throws plan-invalid, store-url-invalid, store-missing, store-unavailable */
export async function openDataset(option: DatasetOption, abortable: Abortable = {}): Promise<DatasetFiles> {
  return namesOneFile(option)
    ? oneFile(await openDatasetSource(option, abortable))
    : manyFiles(placesOf(option), abortable);
}

const oneFile = (source: DatasetSource): DatasetFiles => ({
  identify: () => source.identify(),
  open: (identity) => {
    if ('files' in identity) throw new TypeError('expected the identity of one file');
    return [{ source, identity }];
  },
  emptyDays: () => [],
  close: () => source.close(),
});

async function manyFiles(places: DatasetPlaces, abortable: Abortable): Promise<DatasetFiles> {
  const { base, parameters, patterns } = places;
  const listing = base.startsWith('s3:')
    ? await objectListing(base, parameters, abortable)
    : directoryListing(base.slice('file://'.length), abortable);
  return {
    identify: () => identify(places, listing),
    open: (identity) =>
      ('files' in identity ? identity.files : []).map(({ name, ...version }) => ({
        name,
        source: listing.open(name),
        identity: { uri: listing.uriOf(name), ...version },
      })),
    emptyDays: (identity) => {
      const names = 'files' in identity ? identity.files.map(({ name }) => name) : [];
      const full = new Set(patterns.filter(({ fits }) => names.some(fits)).map(({ day }) => day));
      return [...new Set(patterns.flatMap(({ day }) => (day === undefined || full.has(day) ? [] : [day])))];
    },
    close: () => listing.close(),
  };
}

async function identify({ base, patterns }: DatasetPlaces, listing: FileListing): Promise<DatasetIdentity> {
  const found = new Map<string, ListedFile>();
  for (const pattern of patterns) {
    for (const file of await matching(pattern, listing)) if (!found.has(file.name)) found.set(file.name, file);
    if (found.size > mostFiles) throw tooMany(base, `more than ${mostFiles}`);
  }
  const files = [...found.values()];
  if (files.length === 0) throw missing(base, patterns);
  if (JSON.stringify(files).length > longestListing) throw tooMany(base, `${files.length} with long names`);
  return { uri: base, files };
}

/**
 * The files that fit, in the order of their names. In a window a day may have no file; a file that is there and cannot be read is an
 * error all the same. Outside a window a file that is named must be there.
 */
async function matching({ prefix, isSingle, fits, day }: Pattern, listing: FileListing): Promise<ListedFile[]> {
  if (isSingle) {
    try {
      const { uri: _, ...version } = await listing.open(prefix).identify();
      return [{ name: prefix, ...version }];
    } catch (error) {
      if (day !== undefined && hasCode(error, 'dataset-missing') && error.details['isAbsent'] === true) return [];
      throw error;
    }
  }
  const files: ListedFile[] = [];
  for await (const file of listing.list(prefix, fits)) {
    files.push(file);
    if (files.length > mostFiles) throw tooMany(prefix, `more than ${mostFiles}`);
  }
  return files.sort((left, right) => Buffer.compare(Buffer.from(left.name), Buffer.from(right.name)));
}

function missing(base: string, patterns: readonly Pattern[]): NightstillError {
  const days = patterns.flatMap(({ day }) => day ?? []);
  const when = days.length === 0 ? '' : ` of ${days[0]} to ${days.at(-1)}`;
  return new NightstillError(
    'dataset-missing',
    `${base}: expected at least one file with rows (.jsonl, .ndjson, .parquet, or what a glob names)${when}, found none`,
  );
}

const tooMany = (where: string, found: string): NightstillError =>
  new NightstillError('dataset-files-too-many', `${where}: expected at most ${mostFiles} files, found ${found}`);
