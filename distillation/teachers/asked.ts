/** Equal questions share one call: the second waits for the reply to the first. A question without an answer is not asked again. */
import type { Question, Unanswered } from './ask.js';

export class Asked<Reply extends object> {
  /** By the keys of their questions. */
  readonly unanswered = new Map<string, Unanswered>();
  readonly #underWay = new Map<string, Promise<Reply | Unanswered>>();

  constructor(private readonly answerTo: (question: Question) => Promise<Reply | Unanswered>) {}

  async replyTo(question: Question): Promise<Reply | Unanswered> {
    const { key } = question;
    const known = this.unanswered.get(key);
    if (known !== undefined) return known;
    const answer = this.#underWay.get(key) ?? this.answerTo(question).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, answer);
    const reply = await answer;
    if (typeof reply === 'string') this.unanswered.set(key, reply);
    return reply;
  }
}
