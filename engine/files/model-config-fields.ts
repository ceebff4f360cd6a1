/**
 * Which fields of config.json may be there. Two kinds pass: those that are read, and those known not to touch the numbers of
 * a forward pass. Every other one is refused by name unless it says nothing (null, false, or an empty list or object).
 */
import { NightstillError } from '../../config/errors.js';
import { excerpt } from './excerpt.js';
import { configFileSchema, type ConfigFile, type Family } from './model-config-schema.js';

/** Descriptions, training hints, defaults of generation, and names of what lies beside: no effect on the forward pass. */
const harmless = new Set(
  `architectures model_type transformers_version torch_dtype dtype initializer_range use_cache pretraining_tp name_or_path
  model_name unsloth_fixed unsloth_version is_llama_config transformers.js_config tokenizer_class processor_class prefix task_specific_params problem_type
  id2label label2id finetuning_task return_dict output_attentions output_hidden_states torchscript use_bfloat16 tf_legacy_loss
  is_decoder tie_encoder_decoder chunk_size_feed_forward sep_token_id decoder_start_token_id attn_implementation
  max_length min_length do_sample early_stopping num_beams num_beam_groups diversity_penalty temperature top_k top_p typical_p
  repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size bad_words_ids num_return_sequences
  return_dict_in_generate output_scores forced_bos_token_id forced_eos_token_id remove_invalid_values begin_suppress_tokens
  suppress_tokens exponential_decay_length_penalty`.split(/\s+/),
);

/** @throws model-unsupported naming the field and its value. */
export function refuseWhatIsNotKnown(file: ConfigFile, family: Family, source: string): void {
  const refuse = (found: string): never => {
    throw new NightstillError('model-unsupported', `${source}: ${excerpt(found)}.`);
  };
  if (file.hidden_act !== undefined && file.hidden_act !== 'silu')
    refuse(`hidden_act "${file.hidden_act}" is not computed, only silu`);
  if ((file.attention_dropout ?? 0) !== 0)
    refuse(`attention_dropout ${file.attention_dropout} is not computed, only 0`);
  refuseWindows(file, family, refuse);
  confirmLayerTypes(file, source);
  for (const [name, value] of Object.entries(file)) {
    if (Object.hasOwn(configFileSchema.shape, name) || harmless.has(name) || name.startsWith('_')) continue;
    if (!saysNothing(value)) refuse(`field "${name}" is unknown here (${JSON.stringify(value).slice(0, 80)})`);
  }
}

/** A window counts where transformers would use it: layer_types decides, else use_sliding_window and max_window_layers. */
function refuseWindows(file: ConfigFile, family: Family, refuse: (found: string) => never): void {
  if (file.layer_types) {
    const strange = file.layer_types.find((type) => type !== 'full_attention');
    if (strange !== undefined) refuse(`layer_types holds "${strange}", only full_attention is computed`);
    return;
  }
  if (family === 'llama') {
    if (typeof file.sliding_window === 'number') refuse(`sliding_window ${file.sliding_window} is not computed`);
    return;
  }
  const window = file.sliding_window === undefined ? defaultWindow : file.sliding_window;
  const firstLayer = file.max_window_layers ?? defaultFirstLayer;
  if (file.use_sliding_window === true && window !== null && firstLayer < layersOf(file))
    refuse(`sliding_window ${window} from layer ${firstLayer} on is not computed`);
}

/** What Qwen2Config and Qwen3Config assume of windows. */
const defaultWindow = 4096;
const defaultFirstLayer = 28;

const layersOf = (file: ConfigFile): number => file.num_hidden_layers ?? 32;

function confirmLayerTypes(file: ConfigFile, source: string): void {
  if (!file.layer_types || file.layer_types.length === layersOf(file)) return;
  throw new NightstillError(
    'model-config-invalid',
    `${source}: expected layer_types of ${layersOf(file)} layers, found ${file.layer_types.length}.`,
  );
}

const saysNothing = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === false ||
  (typeof value === 'object' && Object.keys(value).length === 0);
