/** One sequence while it is generated: which token comes next, what of its text can be shown, and when it ends. */
import { createRandom } from '../training/random.js';
import type { StreamDecoder } from '../text/stream-decoder.js';
import type { GeneratedToken, GenerationEnd, GenerationEvent, GenerationRequest } from './request.js';
import { drawToken } from './sampling.js';
import { createStopStrings } from './stop-strings.js';

export interface SequenceSettings {
  readonly request: GenerationRequest;
  readonly endOfSequence: readonly number[];
  readonly capacity: number;
  /** Absent: the text stays empty. */
  readonly decoder?: StreamDecoder | undefined;
}

/** What was asked to be known of a token beside its id. */
export type KnownOfToken = Pick<GeneratedToken, 'logProbability' | 'mostProbable'>;

export interface Sequence {
  readonly request: GenerationRequest;
  /** The newest token and its place in the slot. */
  readonly newest: () => { readonly id: number; readonly position: number };
  /**
   * The token after the newest one.
   * @param greedy the most probable one
   * @param logits of the slot; they must be there where the request says how to draw
   */
  readonly choose: (greedy: number, logits: Float32Array | undefined) => number;
  /** Takes a token; the last event tells whether that was the end. */
  readonly accept: (id: number, known: KnownOfToken) => readonly GenerationEvent[];
  /** Ends it before its time. */
  readonly cancel: () => GenerationEnd;
}

export function createSequence({ request, endOfSequence, capacity, decoder }: SequenceSettings): Sequence {
  const { prompt, sampling, maximumNewTokens } = request;
  const stopTokens = new Set([...endOfSequence, ...(request.stopTokens ?? [])]);
  const stopStrings = createStopStrings(request.stopStrings ?? []);
  // One number a token: it depends on the seed and on the token's place among the new ones.
  const random = sampling === undefined ? undefined : createRandom(sampling.seed, 'generation');
  let newest = prompt.at(-1) ?? 0;
  let generated = 0;

  /** The text that is still held back: nothing follows that could change it. */
  const rest = (): { text: string; found: boolean } => {
    const shown = stopStrings.push(decoder?.end() ?? '');
    return shown.found ? shown : { text: shown.text + stopStrings.end(), found: false };
  };
  const end = (reason: GenerationEnd['reason']): GenerationEnd => {
    const { text, found } = rest();
    return { kind: 'end', reason: found && reason !== 'cancelled' ? 'stop-string' : reason, text };
  };
  const accept = (id: number, known: KnownOfToken): readonly GenerationEvent[] => {
    newest = id;
    generated += 1;
    const token = { kind: 'token', id, ...known } as const;
    if (stopTokens.has(id)) return [{ ...token, text: '' }, end('stop')];
    const { text, found } = stopStrings.push(decoder?.push(id) ?? '');
    if (found)
      return [
        { ...token, text },
        { kind: 'end', reason: 'stop-string', text: '' },
      ];
    // The newest token is not in the cache yet: the next step would write it behind the others, and a full slot has no room.
    const full = prompt.length + generated > capacity;
    return generated >= maximumNewTokens || full ? [{ ...token, text }, end('length')] : [{ ...token, text }];
  };
  return {
    request,
    newest: () => ({ id: newest, position: prompt.length + generated - 1 }),
    choose(greedy, logits) {
      if (sampling === undefined || random === undefined) return greedy;
      if (logits === undefined) throw new TypeError('expected the logits that a token is drawn from');
      return drawToken(logits, sampling, random.uniform());
    },
    accept,
    cancel: () => end('cancelled'),
  };
}
