/** What a trainer refuses: settings that cannot be, steps of another shape, states of another run, losses that are no numbers. */
import { NightstillError } from '../../config/errors.js';
import type { ModelConfig } from '../files/model-config.js';
import type { Numbers } from '../tracing/program.js';
import { describeSpec, type TensorSpec } from '../tracing/tensor-spec.js';
import type { TensorSpecs } from '../tracing/trace.js';
import type { AdamWSettings } from './adamw.js';
import type { Objective } from './objective.js';
import type { StepSource, TrainingStep } from './step-source.js';
import type { TrainingShape } from './training-programs.js';
import type { StateProgress } from './training-state.js';

const refuseSetting = (message: string): NightstillError => new NightstillError('training-setting-invalid', message);
const refuseState = (expected: string, found: string): NightstillError =>
  new NightstillError('training-state-invalid', `expected a training state ${expected}, found ${found}`);

interface Settings {
  readonly config: ModelConfig;
  readonly shape: TrainingShape;
  readonly objective: Objective;
  readonly optimizer: AdamWSettings;
  readonly source: StepSource;
  readonly heldOut?: StepSource;
}

/** @throws training-setting-invalid */
export function checkSettings({ config, shape, objective, optimizer, source, heldOut }: Settings): void {
  checkOptimizer(optimizer);
  for (const [name, value] of Object.entries(shape))
    if (!Number.isSafeInteger(value) || value < 1)
      throw refuseSetting(`${name}: expected a whole number of at least 1, found ${value}`);
  if (shape.tokens > config.maximumPositions)
    throw refuseSetting(`expected rows of at most ${config.maximumPositions} tokens, found ${shape.tokens}`);
  const limit = vocabularyLimit(config, objective);
  for (const { vocabularySize } of heldOut === undefined ? [source] : [source, heldOut])
    if (vocabularySize > limit)
      throw refuseSetting(
        `expected data tokenised for a vocabulary of at most ${limit}, found ${vocabularySize} tokens`,
      );
}

/** As torch.optim.AdamW: at β = 1 the bias correction would be 0/0; below 0, decay and the greatest norm would train upwards. */
function checkOptimizer({ beta1, beta2, epsilon, decay, maximumGradientNorm = Infinity }: AdamWSettings): void {
  for (const [name, beta] of Object.entries({ beta1, beta2 }))
    if (!(beta >= 0 && beta < 1)) throw refuseSetting(`${name}: expected a number of 0 to below 1, found ${beta}`);
  const ruled = (decay.rules ?? []).map(({ names, value }) => [`decay of ${names}`, value] as const);
  for (const [name, value] of [['epsilon', epsilon], ['decay', decay.value], ...ruled] as const)
    if (!(value >= 0 && value < Infinity))
      throw refuseSetting(`${name}: expected a finite number of at least 0, found ${value}`);
  if (!(maximumGradientNorm > 0))
    throw refuseSetting(`maximumGradientNorm: expected a number above 0, found ${maximumGradientNorm}`);
}

/** Token ids must be below it. */
const vocabularyLimit = (config: ModelConfig, { vocabularySize = Infinity }: Objective): number =>
  Math.min(config.vocabularySize, vocabularySize);

/** @throws training-setting-invalid */
export function checkStep(
  { microBatches, trainedTokens }: TrainingStep,
  { config, objective, shape: { microBatches: most } }: Pick<Settings, 'config' | 'objective' | 'shape'>,
  step: number,
): void {
  if (microBatches.length < 1 || microBatches.length > most)
    throw refuseSetting(`expected 1 to ${most} micro-batches in step ${step}, found ${microBatches.length}`);
  if (!(trainedTokens > 0))
    throw refuseSetting(
      `expected at least one token to be learned in step ${step}, found weights of ${trainedTokens} in all`,
    );
  const limit = vocabularyLimit(config, objective);
  const extra = Object.entries(objective.tokenIds ?? {}).map(
    ([name, below]) => [name, Math.min(limit, below)] as const,
  );
  for (const [index, { ids, labels, extra: inputs }] of microBatches.entries()) {
    const place = `of micro-batch ${index + 1} in step ${step}`;
    checkTokenIds('ids', ids, limit, place);
    checkTokenIds('labels', labels, limit, place);
    for (const [name, below] of extra) checkTokenIds(name, inputs?.[name] ?? [], below, place);
  }
}

/** In a loop and not by `find`: there are as many as K for every token. */
function checkTokenIds(input: string, ids: ArrayLike<number>, limit: number, place: string): void {
  for (let at = 0; at < ids.length; at++) {
    const id = ids[at] ?? Number.NaN;
    if (!(id >= 0 && id < limit))
      throw refuseSetting(`expected token ids of 0 to below ${limit} in ${input} ${place}, found ${id} at place ${at}`);
  }
}

export const nothingHeldOut = (): NightstillError =>
  refuseSetting('expected held-out data with at least one token to be learned, found none');

/** The step that a cursor led to must be the one of which gradients are held. @throws training-state-invalid */
export function checkHeld({ firstMicroBatch }: TrainingStep, { microBatch, step }: StateProgress): void {
  if (firstMicroBatch !== microBatch)
    throw refuseState(
      `whose cursor stands behind the ${microBatch} micro-batches held of step ${step + 1}`,
      `a cursor behind ${firstMicroBatch}`,
    );
}

/** @throws training-state-invalid when a state has not exactly these tensors */
export function checkTensors(expected: TensorSpecs, found: TensorSpecs): void {
  for (const [name, spec] of Object.entries(expected)) {
    const other = Object.hasOwn(found, name) ? found[name] : undefined;
    if (other === undefined) throw refuseState(`with a tensor ${name}`, 'none of that name');
    if (!same(spec, other)) throw refuseState(`with ${name} as ${describeSpec(spec)}`, describeSpec(other));
  }
  const unknown = Object.keys(found).find((name) => !Object.hasOwn(expected, name));
  if (unknown !== undefined) throw refuseState('of this model', `the tensor ${unknown}, which it does not have`);
}

const same = (one: TensorSpec, other: TensorSpec): boolean => describeSpec(one) === describeSpec(other);

export const diverged = (step: number, loss: number, gradientNorm?: number): NightstillError => {
  const norm = gradientNorm === undefined ? '' : ` and a gradient norm of ${gradientNorm}`;
  return new NightstillError(
    'training-diverged',
    `expected finite numbers, found a loss of ${loss}${norm} in step ${step}; nothing was updated`,
    {
      details: { step, loss: String(loss), ...(gradientNorm !== undefined && { gradientNorm: String(gradientNorm) }) },
    },
  );
};

/** The numbers of scalar outputs. */
export const scalarsOf = (outputs: Readonly<Record<string, Numbers>>): Record<string, number> =>
  Object.fromEntries(Object.entries(outputs).map(([name, values]) => [name, values[0] ?? Number.NaN]));
