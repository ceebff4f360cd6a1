/** Equal questions share one call: the second waits for the reply to the first. A question that was refused is not asked again. */
import type { Question } from './ask.js';

export class Asked<Reply> {
  readonly rejected = new Set<string>();
  readonly #underWay = new Map<string, Promise<Reply | undefined>>();

  constructor(private readonly answerTo: (question: Question) => Promise<Reply | undefined>) {}

  /** @returns undefined when the endpoint refuses this request, and not others */
  async replyTo(question: Question): Promise<Reply | undefined> {
    const { key } = question;
    if (this.rejected.has(key)) return undefined;
    const reply = this.#underWay.get(key) ?? this.answerTo(question).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, reply);
    if ((await reply) === undefined) this.rejected.add(key);
    return reply;
  }
}
