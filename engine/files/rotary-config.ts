/**
 * Rotary positions as config.json states them: transformers 4 writes rope_theta and rope_scaling, 5 writes rope_parameters.
 * Kinds that are computed: the plain one, `linear`, and `llama3`. All others (yarn, dynamic, longrope …) are refused by name.
 */
import { NightstillError } from '../../config/errors.js';
import { excerpt } from './excerpt.js';
import type { ConfigFile, RopeFields } from './model-config-schema.js';

export type RotaryScaling =
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalMaximumPositions: number;
    }
  | { readonly kind: 'linear'; readonly factor: number };

export interface Rotary {
  readonly theta: number;
  readonly scaling?: RotaryScaling;
}

const defaultTheta = 10_000;

const readFields = new Set([
  'rope_type',
  'type',
  'rope_theta',
  'factor',
  'low_freq_factor',
  'high_freq_factor',
  'original_max_position_embeddings',
  'partial_rotary_factor',
]);

/** @throws model-unsupported for another kind or an unknown field; model-config-invalid when a number is missing. */
export function rotaryOf(file: ConfigFile, maximumPositions: number, source: string): Rotary {
  const parameters = fieldsOf(file, source);
  for (const partial of [file.partial_rotary_factor, parameters.partial_rotary_factor])
    if (typeof partial === 'number' && partial !== 1)
      throw unsupported(source, `partial_rotary_factor ${partial} is not computed`);
  const unknown = Object.keys(parameters).find((name) => !readFields.has(name) && parameters[name] !== null);
  if (unknown !== undefined) throw unsupported(source, `rope parameter "${unknown}" is unknown`);
  const theta = parameters.rope_theta ?? file.rope_theta ?? defaultTheta;
  const scaling = scalingOf(parameters, maximumPositions, source);
  return scaling === undefined ? { theta } : { theta, scaling };
}

/** Of the two spellings the one that is there; transformers prefers rope_scaling, so both must say the same. */
function fieldsOf({ rope_scaling: older, rope_parameters: newer }: ConfigFile, source: string): RopeFields {
  const chosen = older ?? newer ?? {};
  if (older === undefined || older === null || newer === undefined || newer === null) return chosen;
  for (const name of new Set([...Object.keys(older), ...Object.keys(newer)]))
    if (name !== 'type' && name !== 'rope_theta' && older[name] !== newer[name])
      throw new NightstillError(
        'model-config-invalid',
        `${source}: rope_scaling and rope_parameters contradict each other in "${excerpt(name)}".`,
      );
  return { ...newer, ...older };
}

function scalingOf(parameters: RopeFields, maximumPositions: number, source: string): RotaryScaling | undefined {
  const kind = parameters.rope_type ?? parameters.type ?? 'default';
  if (kind === 'default') return undefined;
  const required = (name: 'factor' | 'low_freq_factor' | 'high_freq_factor'): number => {
    const value = parameters[name];
    if (typeof value === 'number') return value;
    throw new NightstillError('model-config-invalid', `${source}: rope type ${kind} needs ${name}, found none.`);
  };
  if (kind === 'linear') return { kind, factor: required('factor') };
  if (kind !== 'llama3')
    throw unsupported(source, `rope type "${kind}" is not computed; known are default, linear, llama3`);
  const lowFrequencyFactor = required('low_freq_factor');
  const highFrequencyFactor = required('high_freq_factor');
  if (highFrequencyFactor <= lowFrequencyFactor)
    throw new NightstillError(
      'model-config-invalid',
      `${source}: high_freq_factor ${highFrequencyFactor} must be above low_freq_factor ${lowFrequencyFactor}.`,
    );
  const originalMaximumPositions = parameters.original_max_position_embeddings ?? maximumPositions;
  return { kind, factor: required('factor'), lowFrequencyFactor, highFrequencyFactor, originalMaximumPositions };
}

const unsupported = (source: string, found: string): NightstillError =>
  new NightstillError('model-unsupported', `${source}: ${excerpt(found)}.`);

/** The same in the spelling of transformers 4, which 5 reads too. */
export function rotaryFields({ theta, scaling }: Rotary): Readonly<Record<string, unknown>> {
  return { rope_theta: theta, rope_scaling: scaling === undefined ? null : scalingFields(scaling) };
}

const scalingFields = (scaling: RotaryScaling): Readonly<Record<string, unknown>> =>
  scaling.kind === 'linear'
    ? { rope_type: 'linear', factor: scaling.factor }
    : {
        rope_type: 'llama3',
        factor: scaling.factor,
        low_freq_factor: scaling.lowFrequencyFactor,
        high_freq_factor: scaling.highFrequencyFactor,
        original_max_position_embeddings: scaling.originalMaximumPositions,
      };
