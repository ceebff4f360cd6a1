/**
 * Modules of the user's own that a worker is started with: stages, scorers, and a data converter. A path is taken from the current
 * directory. What a module does when it is loaded is its own affair; what it exports is checked.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { NightstillError } from '../config/errors.js';
import type { ScorerModule } from '../config/scorer-module.js';
import { describeScorers, versionsOf } from '../evaluation/index.js';
import { allStages, type Stage } from '../plugins/index.js';

/**
 * The export `stages`, or else the default one: a list of what `defineStage` returns.
 * @throws stages-invalid
 */
export async function loadStages(path: string): Promise<readonly Stage[]> {
  const { stages, default: others } = await load(path, 'stages-invalid');
  const list = stages ?? others;
  if (!Array.isArray(list)) throw unfit('stages-invalid', path, 'a list as export "stages" or as default export', list);
  allStages(list, { place: `${path}: stages` });
  return list as readonly Stage[];
}

/**
 * The export `scorers`, or else the default one: a list of scorers, which an evaluation runs in a thread of its own.
 * @throws scorers-invalid
 */
export async function loadScorers(path: string): Promise<ScorerModule> {
  const { scorers, default: others } = await load(path, 'scorers-invalid');
  return { module: resolve(path), versions: versionsOf(describeScorers(scorers ?? others, `${path}: scorers`)) };
}

/**
 * The export `dataConverter`, or else the default one: what workers, and clients, give Temporal to encode payloads with.
 * @throws data-converter-invalid
 */
export async function loadDataConverter(path: string): Promise<DataConverter> {
  const { dataConverter, default: other } = await load(path, 'data-converter-invalid');
  const converter = dataConverter ?? other;
  if (isDataConverter(converter)) return converter;
  throw unfit('data-converter-invalid', path, `an object with ${converterFields.join(' or ')}`, converter);
}

type ModuleFailure = 'stages-invalid' | 'scorers-invalid' | 'data-converter-invalid';

async function load(path: string, code: ModuleFailure): Promise<Readonly<Record<string, unknown>>> {
  const absolute = resolve(path);
  if (!existsSync(absolute)) throw new NightstillError(code, `${path}: expected a module, found no file ${absolute}`);
  try {
    return (await import(pathToFileURL(absolute).href)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NightstillError(code, `${path}: expected a module that can be loaded, found: ${reason}`, { cause });
  }
}

const converterFields = ['payloadConverterPath', 'failureConverterPath', 'payloadCodecs', 'externalStorage'] as const;

const isDataConverter = (value: unknown): value is DataConverter =>
  typeof value === 'object' && value !== null && converterFields.some((field) => field in value);

const unfit = (code: ModuleFailure, path: string, expected: string, found: unknown): NightstillError =>
  new NightstillError(
    code,
    `${path}: expected ${expected}, found ${found === undefined ? 'none' : `a value of type ${typeof found}`}`,
  );
