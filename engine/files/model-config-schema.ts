/** The shape of config.json: types and ranges of the fields that are read. What they mean together is judged by others. */
import { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import { excerpt } from './excerpt.js';

/** What a tensor of 32-bit sizes can have; a stranger's config must not ask for more. */
const size = z
  .int()
  .min(1)
  .max(2 ** 31 - 1);
const layers = z.int().min(1).max(10_000);
const token = z.int().min(0);

const ropeSchema = z.looseObject({
  rope_type: z.string().nullish(),
  type: z.string().nullish(),
  rope_theta: z.number().positive().nullish(),
  factor: z.number().min(1).nullish(),
  low_freq_factor: z.number().positive().nullish(),
  high_freq_factor: z.number().positive().nullish(),
  original_max_position_embeddings: size.nullish(),
  partial_rotary_factor: z.number().positive().nullish(),
});

export const configFileSchema = z.looseObject({
  vocab_size: size.optional(),
  hidden_size: size.optional(),
  intermediate_size: size.optional(),
  num_hidden_layers: layers.optional(),
  num_attention_heads: size.optional(),
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  hidden_act: z.string().optional(),
  max_position_embeddings: size.optional(),
  rms_norm_eps: z.number().positive().optional(),
  tie_word_embeddings: z.boolean().optional(),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: ropeSchema.nullish(),
  rope_parameters: ropeSchema.nullish(),
  partial_rotary_factor: z.number().positive().nullish(),
  attention_bias: z.boolean().optional(),
  attention_dropout: z.number().min(0).nullish(),
  mlp_bias: z.boolean().optional(),
  use_sliding_window: z.boolean().nullish(),
  sliding_window: z.int().nullish(),
  max_window_layers: z.int().min(0).nullish(),
  layer_types: z.array(z.string()).nullish(),
  eos_token_id: z.union([token, z.array(token)]).nullish(),
  bos_token_id: token.nullish(),
  pad_token_id: token.or(z.literal(-1)).nullish(),
});

export type ConfigFile = z.infer<typeof configFileSchema>;

export type RopeFields = z.infer<typeof ropeSchema>;

/** model_type → the one architecture of it that is computed. */
export const architectures = {
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
  llama: 'LlamaForCausalLM',
} as const;

export type Family = keyof typeof architectures;

const identitySchema = z.looseObject({ model_type: z.string(), architectures: z.array(z.string()).nullish() });

/** The family that model_type and architectures agree on. */
export function familyOf(json: unknown, source: string): Family {
  const identity = identitySchema.safeParse(json);
  if (!identity.success)
    throw new NightstillError(
      'model-config-invalid',
      `${source}: expected an object with model_type and architectures, found neither or other types.`,
    );
  const { model_type: name, architectures: named } = identity.data;
  const known = Object.keys(architectures).join(', ');
  if (!isFamily(name))
    throw new NightstillError(
      'model-unsupported',
      `${source}: model_type "${excerpt(name)}" is unknown; known are ${known}.`,
    );
  const strange = named?.find((architecture) => architecture !== architectures[name]);
  if (strange !== undefined)
    throw new NightstillError(
      'model-unsupported',
      `${source}: architecture "${excerpt(strange)}" is not computed; for model_type ${name} it must be ${architectures[name]}.`,
    );
  return name;
}

const isFamily = (name: string): name is Family => Object.hasOwn(architectures, name);
