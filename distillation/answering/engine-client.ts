/**
 * A model on this machine behind the interface of a teacher at an endpoint: it takes the same requests and gives the same replies. The
 * same request gives the same tokens, whatever other requests are under way.
 */
import { z } from 'zod';
import { hasCode, NightstillError } from '../../config/errors.js';
import type { ChatModel, GenerationRequest } from '../../engine/index.js';
import type { Json } from '../../storage/index.js';
import { chatWire } from '../teachers/chat-reply.js';
import type { TeacherClient } from '../teachers/client.js';
import { FailedCall } from '../teachers/failed-call.js';

export interface EngineClientSettings {
  /** The model and fingerprint that its replies name. */
  readonly served: { readonly model: string; readonly fingerprint: string };
  /** Called at every token. */
  readonly onToken: () => void;
}

const requestSchema = z.object({
  messages: z.array(z.object({ role: z.string(), content: z.string() })),
  temperature: z.number(),
  top_p: z.number(),
  max_tokens: z.int(),
  seed: z.int(),
});
type ChatRequest = z.output<typeof requestSchema>;

export const engineClient = (model: ChatModel, { served, onToken }: EngineClientSettings): TeacherClient => ({
  wire: chatWire,
  async ask(request, _key, signal) {
    const asked = requestSchema.parse(request); // as `chatRequest` makes it
    const body = completion(served, await answerTo(model, asked, { signal, onToken }));
    const reply = chatWire.read(body);
    return { body: chatWire.keep(body, reply), reply, providerId: null };
  },
});

interface Answer {
  readonly text: string;
  readonly finishReason: 'stop' | 'length';
  readonly promptTokens: number;
  readonly completionTokens: number;
}

async function answerTo(
  model: ChatModel,
  request: ChatRequest,
  { signal, onToken }: { readonly signal: AbortSignal; readonly onToken: () => void },
): Promise<Answer> {
  const prompt = promptOf(model, request);
  const maximumNewTokens = Math.min(request.max_tokens, model.capacity - prompt.length);
  let [text, completionTokens] = ['', 0];
  for await (const event of model.generate({ prompt, maximumNewTokens, ...samplingOf(request), signal })) {
    text += event.text;
    if (event.kind === 'token') {
      completionTokens += 1;
      onToken();
    } else if (event.reason !== 'cancelled') {
      const finishReason = event.reason === 'length' ? 'length' : 'stop';
      return { text, finishReason, promptTokens: prompt.length, completionTokens };
    }
  }
  throw signal.reason;
}

/** @throws FailedCall for a conversation that the template refuses, or that leaves no room for an answer: only this request is rejected */
function promptOf(model: ChatModel, { messages }: ChatRequest): Int32Array {
  try {
    const prompt = model.encode(messages);
    if (prompt.length < model.capacity) return prompt;
    const found = `expected a prompt shorter than the context of ${model.capacity} tokens, found a longer one`;
    throw new NightstillError('teacher-request-rejected', found);
  } catch (error) {
    if (!hasCode(error, 'teacher-request-rejected', 'chat-template-invalid')) throw error;
    const failure = new NightstillError('teacher-request-rejected', error.message, { cause: error });
    throw new FailedCall(failure, { tries: 1, maybePaid: false });
  }
}

const samplingOf = ({ temperature, top_p: topP, seed }: ChatRequest): Pick<GenerationRequest, 'sampling'> =>
  temperature === 0 ? {} : { sampling: { seed, temperature, topP } };

const completion = (
  { model, fingerprint }: EngineClientSettings['served'],
  { text, finishReason, promptTokens, completionTokens }: Answer,
): Json => ({
  model,
  system_fingerprint: fingerprint,
  choices: [{ index: 0, finish_reason: finishReason, message: { role: 'assistant', content: text } }],
  usage: { prompt_tokens: promptTokens, completion_tokens: completionTokens },
});
