/**
 * Answers a request for a continuation, whole or as a stream. What is sent goes into a sink, so that a reply can be recorded
 * before anybody sees it.
 */
import { randomUUID } from 'node:crypto';
import { finishReasonOf, promptLogProbabilities, type FinishedSequence, type ReplyForm } from './reply-form.js';
import type { GeneratedToken, GenerationEvent } from '../../engine/index.js';
import { generateAll, scoreAll, sequencesOf, type Inference, type Sequence } from './inference.js';
import type { ModelEngine } from './model-engine.js';
import type { ModelText } from './model-text.js';

/** Where a reply goes. */
export interface Sink {
  head(contentType: string): void;
  write(text: string): void;
}

export const jsonType = 'application/json';
export const eventStreamType = 'text/event-stream; charset=utf-8';

export interface Answerer {
  readonly engine: ModelEngine;
  readonly text: ModelText;
  readonly modelId: string;
  readonly systemFingerprint: string;
  readonly capacity: number;
  readonly onComputed: (promptTokens: number, generatedTokens: number) => void;
  /** Lets so many sequences in. @returns what lets them out */
  readonly enter: (sequences: number) => () => void;
}

/** @throws ApiError, and the reason of `signal`; nothing is sent before the request is let in */
export async function answer(
  answerer: Answerer,
  inference: Inference,
  form: ReplyForm,
  sink: Sink,
  signal: AbortSignal,
): Promise<void> {
  const sequences = sequencesOf(inference, answerer.capacity);
  const leave = answerer.enter(sequences.length);
  const progress = new Progress(sequences);
  try {
    const reply = { ...answerer, inference, form, sink, progress };
    await (inference.stream === undefined ? answerWhole(reply, signal) : answerStream(reply, signal));
  } finally {
    leave();
    const { prompt_tokens, completion_tokens } = progress.usage(inference);
    answerer.onComputed(prompt_tokens, completion_tokens);
  }
}

interface Reply extends Answerer {
  readonly inference: Inference;
  readonly form: ReplyForm;
  readonly sink: Sink;
  readonly progress: Progress;
}

async function answerWhole(reply: Reply, signal: AbortSignal): Promise<void> {
  const { engine, text, inference, form, progress, sink } = reply;
  const { samples, promptAlternatives } = inference;
  const scored = promptAlternatives === undefined ? [] : await scoreAll(engine, inference, signal);
  await generateAll(engine, progress.sequences, signal, (sequence, event) => progress.take(sequence, event));
  const prompts = scored.map((prompt) => promptLogProbabilities(text, prompt, promptAlternatives ?? 0));
  sink.head(jsonType);
  sink.write(
    JSON.stringify({
      ...envelope(reply, form.objects.whole),
      choices: progress.finished().map((one) => form.choice(one, prompts[Math.floor(one.index / samples)])),
      usage: progress.usage(inference),
      ...form.beside(prompts),
    }),
  );
}

async function answerStream(reply: Reply, signal: AbortSignal): Promise<void> {
  const { engine, inference, form, progress, sink } = reply;
  const common = envelope(reply, form.objects.part);
  const usage = inference.stream?.includeUsage === true ? { usage: null } : {};
  const send = (choices: readonly object[], more: object = usage): void =>
    sink.write(`data: ${JSON.stringify({ ...common, choices, ...more })}\n\n`);
  sink.head(eventStreamType);
  for (const { index } of progress.sequences) {
    const opening = form.opening(index);
    if (opening !== undefined) send([opening]);
  }
  await generateAll(engine, progress.sequences, signal, (sequence, event) => {
    const offset = progress.textLength(sequence);
    progress.take(sequence, event);
    const isNews = event.kind === 'end' || event.text !== '' || inference.logProbabilities;
    const tokens = event.kind === 'token' ? [event] : [];
    const reason = event.kind === 'end' ? finishReasonOf(event) : null;
    if (isNews) send([form.part({ index: sequence.index, text: event.text, tokens, reason, offset })]);
  });
  if (inference.stream?.includeUsage === true) send([], { usage: progress.usage(inference) });
  sink.write('data: [DONE]\n\n');
}

const envelope = ({ form, modelId, systemFingerprint }: Reply, object: string) => ({
  id: `${form.idPrefix}${randomUUID().replaceAll('-', '')}`,
  object,
  created: Math.floor(Date.now() / 1000),
  model: modelId,
  system_fingerprint: systemFingerprint,
});

/** What has come of the sequences of one request. */
class Progress {
  readonly #parts: ReadonlyMap<Sequence, { readonly tokens: GeneratedToken[]; text: string; end?: GenerationEvent }>;

  constructor(readonly sequences: readonly Sequence[]) {
    this.#parts = new Map(sequences.map((sequence) => [sequence, { tokens: [], text: '' }]));
  }

  take(sequence: Sequence, event: GenerationEvent): void {
    const part = this.#parts.get(sequence);
    if (part === undefined) return;
    part.text += event.text;
    if (event.kind === 'token') part.tokens.push(event);
    else part.end = event;
  }

  textLength(sequence: Sequence): number {
    return this.#parts.get(sequence)?.text.length ?? 0;
  }

  finished(): readonly FinishedSequence[] {
    return [...this.#parts].map(([{ index }, { tokens, text, end }]) => {
      if (end?.kind !== 'end') throw new TypeError('expected the end of every sequence');
      return { index, tokens, text, reason: finishReasonOf(end) };
    });
  }

  /** A prompt counts once, whatever the number of its continuations. */
  usage({ prompts }: Inference) {
    const prompt_tokens = prompts.reduce((sum, { length }) => sum + length, 0);
    const completion_tokens = [...this.#parts.values()].reduce((sum, { tokens }) => sum + tokens.length, 0);
    return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
  }
}
