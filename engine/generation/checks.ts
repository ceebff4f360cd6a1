/** What a generator and a request must be. */
import { NightstillError } from '../../config/errors.js';
import type { ModelConfig } from '../files/model-config.js';
import { checkLengths, checkTokenIds, isCount, refuse } from '../inference-checks.js';
import type { GenerationShape } from './programs.js';
import type { GenerationRequest } from './request.js';

/** @throws inference-setting-invalid */
export function checkShape(
  { maximumPositions }: ModelConfig,
  { slots, capacity, promptLengths }: GenerationShape,
): void {
  if (!isCount(slots)) throw refuse(`at least one slot, found ${slots}`);
  if (!isCount(capacity) || capacity > maximumPositions)
    throw refuse(`a capacity of 1 to the ${maximumPositions} positions of the model, found ${capacity}`);
  checkLengths(promptLengths, 'prompts');
  if ((promptLengths.at(-1) ?? 0) > capacity)
    throw refuse(`lengths of prompts within the capacity of ${capacity}, found ${promptLengths.at(-1)}`);
}

/**
 * @param hasTokenizer whether there is text to look for stop strings in
 * @throws inference-setting-invalid; sequence-too-long when no length of prompts is enough
 */
export function checkRequest(
  { vocabularySize }: ModelConfig,
  { promptLengths }: GenerationShape,
  request: GenerationRequest,
  hasTokenizer: boolean,
): void {
  const { prompt, maximumNewTokens, stopStrings = [] } = request;
  if (!isCount(maximumNewTokens)) throw refuse(`maximumNewTokens of at least 1, found ${maximumNewTokens}`);
  if (prompt.length === 0) throw refuse('a prompt of at least one token, found none');
  checkTokenIds(prompt, vocabularySize);
  const longest = promptLengths.at(-1) ?? 0;
  if (prompt.length > longest)
    throw new NightstillError(
      'sequence-too-long',
      `expected a prompt of at most ${longest} tokens, found ${prompt.length}`,
    );
  if (stopStrings.includes('')) throw refuse('stop strings that are not empty');
  if (stopStrings.length > 0 && !hasTokenizer)
    throw refuse('a generator with a tokenizer, since there are stop strings');
  const { mostProbable = 0 } = request;
  if (!Number.isSafeInteger(mostProbable) || mostProbable < 0 || mostProbable > vocabularySize)
    throw refuse(`mostProbable of 0 to ${vocabularySize}, found ${mostProbable}`);
  if (request.sampling !== undefined) checkSampling(request.sampling);
}

function checkSampling({
  seed,
  temperature = 1,
  topK = 0,
  topP = 1,
}: NonNullable<GenerationRequest['sampling']>): void {
  if (!Number.isSafeInteger(seed) || seed < 0) throw refuse(`a seed of 0 to 2^53-1, found ${seed}`);
  if (!(temperature > 0 && temperature < Infinity)) throw refuse(`a temperature above 0, found ${temperature}`);
  if (!Number.isSafeInteger(topK) || topK < 0) throw refuse(`topK of 0 or more, found ${topK}`);
  if (!(topP > 0 && topP <= 1)) throw refuse(`topP above 0 and at most 1, found ${topP}`);
}
