/** Reports how many samples and calls of a capture are done, also after a stop, while replies under way are still recorded. */
import type { Report } from '../training/report.js';

export class SampleReport {
  #done = 0;
  #calls = 0;

  constructor(
    private readonly report: Report,
    private readonly about: { readonly of: number; readonly fence: number },
  ) {}

  /** A call was made. Its reply may take long, and until then there may be nothing else to report. */
  call(): void {
    this.#calls += 1;
    this.#tell();
  }

  passedOver(done: number): void {
    this.#done = done;
    this.#tell();
  }

  judged(): void {
    this.#done += 1;
    this.#tell();
    // Every reply is durable once it is recorded.
    this.report.durable({ step: this.#done, fence: this.about.fence });
  }

  #tell(): void {
    this.report.facts({ done: this.#done, of: this.about.of, unit: 'samples', calls: this.#calls });
  }
}
