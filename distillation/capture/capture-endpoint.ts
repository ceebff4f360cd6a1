/**
 * The distributions of a teacher behind an endpoint, over the tokens that a student trains on. Each sample is one request, which is
 * recorded before anything is made of it and never asked again; samples go into shards in their order, group after group. Killed at
 * any moment, the next attempt asks only for samples that are in neither. A reply that does not fit the tokens is counted, and its
 * row is left out of the dataset that comes out beside the logits.
 */
import type { CaptureEndpointOptions } from '../../config/capture-endpoint-options.js';
import type { Progress } from '../../config/child-protocol.js';
import type { Sample } from '../../engine/index.js';
import type { ArtifactRef, JsonObject, ObjectStore, StageWriter } from '../../storage/index.js';
import { describeMass, LogitWriter, type LogitRow } from '../logits/index.js';
import { teacherKey, type Ledger } from '../responses/index.js';
import { ask, type Question } from '../teachers/ask.js';
import { Asked } from '../teachers/asked.js';
import { openProbedClientOver } from '../teachers/probed-client.js';
import { inLanes } from '../teachers/lanes.js';
import { Pace } from '../teachers/pace.js';
import { recorded, type Recorded } from '../teachers/recorded-reply.js';
import { noScores } from '../teachers/prompt-scores.js';
import { scoredAnswerTokens, scoringQuestion, scoringWire, type ScoredPrompt } from '../teachers/scoring-wire.js';
import { stopping } from '../teachers/stopping.js';
import { Report } from '../training/report.js';
import { alignRow, type Terms } from './aligned-row.js';
import { AlignmentTally, type Unaligned } from './alignment-tally.js';
import { CaptureCosts } from './costs.js';
import { openEndpointSubject, type EndpointSubject } from './endpoint-subject.js';
import { keepRows } from './kept-rows.js';
import { SampleReport } from './sample-report.js';
import { TokenTexts } from './token-texts.js';

export interface EndpointCaptureRequest {
  readonly store: ObjectStore;
  readonly writer: StageWriter;
  readonly dataset: ArtifactRef;
  readonly student: ArtifactRef;
  readonly options: CaptureEndpointOptions;
  /** What canaries say that the teacher is now; null: what its revision says. */
  readonly drift: string | null;
  readonly apiKey: string | undefined;
  readonly ledger: Ledger;
  readonly cacheDirectory: string;
  /** Aborted: no more calls begin, those under way have some seconds to end, then its reason is thrown. */
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
}

export interface EndpointCapture {
  readonly logits: ArtifactRef;
  /** The rows that the logits are about. */
  readonly dataset: ArtifactRef;
  readonly facts: JsonObject;
  readonly observed: AlignmentTally['observed'];
  /** Of all attempts, whoever has bought the replies; undefined where a price is not known. */
  readonly spentUsd: number | undefined;
}

/** The replies of a group are in memory together. */
const samplesOfGroup = 128;

/**
 * @throws teacher-logprobs-missing, teacher-logprobs-capped, teacher-mismatch, capture-unaligned, distribution-invalid,
 *   budget-exhausted, the other codes of teachers; what models, data and store throw; the reason of `signal`
 */
export async function captureEndpoint(request: EndpointCaptureRequest): Promise<EndpointCapture> {
  const { options, store, writer, ledger } = request;
  const report = new Report(request.progress, request.signal);
  report.begin('load');
  const subject = await openEndpointSubject({ ...request, report });
  try {
    report.begin('restore');
    const work = await openWriter(request, subject, report);
    const tally = new AlignmentTally(subject.data.samples, options.minimumAligned);
    const costs = new CaptureCosts(work);
    report.begin('capture');
    await askAll({ request, subject, work, tally, costs, report });
    // Until now each reply is an object of its own; compacted, the next look reads only a few objects.
    report.begin('compact');
    await ledger.compact((moved) => report.alive({ ...moved, unit: 'responses' }));
    report.begin('seal');
    const logits = await work.finish();
    const dataset = await keepRows(store, writer, request.dataset, {
      without: tally.rows,
      onRow: (done) => report.alive({ done, unit: 'rows' }),
    });
    const facts = factsOf(request, subject, work, tally, logits);
    return { logits, dataset, facts, observed: tally.observed, spentUsd: costs.usd };
  } finally {
    await subject.data.close();
  }
}

function openWriter(
  { store, writer, options }: EndpointCaptureRequest,
  { tokenizer, vocabularySize }: EndpointSubject,
  report: Report,
): Promise<LogitWriter> {
  const { k, valueType, temperatures, shardBytes, teacher } = options;
  return LogitWriter.resume({
    store,
    writer,
    header: {
      teacherDigest: teacherKey(teacher),
      tokenizerDigest: tokenizer.digest,
      vocabularySize,
      k,
      temperatures,
      valueType,
    },
    shardBytes,
    onProgress: () => report.alive(),
  });
}

interface Capture {
  readonly request: EndpointCaptureRequest;
  readonly subject: EndpointSubject;
  readonly work: LogitWriter;
  readonly tally: AlignmentTally;
  readonly costs: CaptureCosts;
  readonly report: Report;
}

/** Until every sample has a row, or a reason why it has none. */
async function askAll({ request, subject, work, tally, costs, report }: Capture): Promise<void> {
  const { options, signal, writer } = request;
  const { data } = subject;
  const { stop, cut, end } = stopping(signal);
  const told = new SampleReport(report, { of: data.samples, fence: writer.fence });
  const scoring = new Scoring(request, subject, { stop: stop.signal, cut, onCall: () => told.call() });
  try {
    for (let begin = 0; begin < data.samples; begin += samplesOfGroup) {
      const group = await missingIn(data, work, begin, (sample) => costs.passOver(scoring.keyOf(sample)));
      told.passedOver(Math.min(begin + samplesOfGroup, data.samples) - group.length);
      const recordedOnes = await scoring.find(group);
      const rows = new Map<Sample, LogitRow>();
      const heard = new Map<Sample, Heard>();
      const judge = async (sample: Sample): Promise<void> => {
        const row = await scoring.rowOf(sample, recordedOnes, (said) => {
          tally.said(said.reply);
          heard.set(sample, said);
        });
        if (typeof row === 'string') tally.unaligned(sample, row);
        else rows.set(sample, row);
        told.judged();
      };
      await inLanes(options.teacher.limits.parallel, each(group), { stop, work: judge });
      for (const sample of group) {
        const [row, said] = [rows.get(sample), heard.get(sample)];
        if (said !== undefined) costs.add(said.key, said.reply.cost, row !== undefined);
        if (row !== undefined) await work.add(row, costs.account);
      }
    }
  } catch (error) {
    if (signal.aborted) await work.saveNow();
    throw error;
  } finally {
    end();
  }
}

/** The samples of a group that have no row yet: those of earlier attempts are not asked for, and not even looked up. */
async function missingIn(
  data: EndpointSubject['data'],
  work: LogitWriter,
  begin: number,
  passOver: (sample: Sample) => void,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let number = begin; number < Math.min(begin + samplesOfGroup, data.samples); number += 1) {
    const sample = await data.read(number);
    if (work.has(sample)) passOver(sample);
    else samples.push(sample);
  }
  return samples;
}

async function* each<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}

type Reply = Recorded<ScoredPrompt>;
type FoundReplies = ReadonlyMap<string, Reply>;

/** A reply, and the key of the question that it was to. */
interface Heard {
  readonly key: string;
  readonly reply: Reply;
}

/** Makes questions of samples, and rows of the replies. */
class Scoring {
  readonly #request: EndpointCaptureRequest;
  readonly #wire: ReturnType<typeof scoringWire>;
  readonly #asked: Asked<Reply>;
  readonly #terms: Terms;

  constructor(
    request: EndpointCaptureRequest,
    { tokenizer, vocabularySize }: EndpointSubject,
    asking: { readonly stop: AbortSignal; readonly cut: AbortSignal; readonly onCall: () => void },
  ) {
    const { options, apiKey, ledger } = request;
    const { teacher, form, k } = options;
    this.#request = request;
    this.#wire = scoringWire(form, k);
    const [client, pace] = [openProbedClientOver(teacher, apiKey, this.#wire), new Pace(teacher.limits)];
    const means = { teacher, client, pace, ledger, maximumTokens: scoredAnswerTokens, ...asking };
    this.#asked = new Asked((question) => ask(means, question));
    this.#terms = { texts: new TokenTexts(tokenizer), vocabularySize, k };
  }

  /** What is recorded of these samples, by the keys of their questions. */
  async find(samples: readonly Sample[]): Promise<FoundReplies> {
    const keys = samples.filter(isAskable).map((sample) => this.keyOf(sample));
    const responses = await this.#request.ledger.find(keys);
    return new Map([...responses].map(([key, response]) => [key, recorded(this.#wire, response)]));
  }

  async rowOf(sample: Sample, found: FoundReplies, onReply: (said: Heard) => void): Promise<LogitRow | Unaligned> {
    // A single token has nothing before it, and so no distribution.
    if (!isAskable(sample)) return alignRow(sample, noScores, this.#terms);
    const question = this.#questionOf(sample);
    const reply = found.get(question.key) ?? (await this.#asked.replyTo(question));
    if (typeof reply === 'string') return reply;
    onReply({ key: question.key, reply });
    return alignRow(sample, reply.scores, this.#terms);
  }

  keyOf(sample: Sample): string {
    return this.#questionOf(sample).key;
  }

  #questionOf({ ids }: Sample): Question {
    const { drift, options } = this.#request;
    return scoringQuestion({ ...options, drift }, ids);
  }
}

const isAskable = ({ ids }: Sample): boolean => ids.length > 1;

function factsOf(
  { options, dataset, student }: EndpointCaptureRequest,
  { data, vocabularySize }: EndpointSubject,
  { mass }: LogitWriter,
  tally: AlignmentTally,
  logits: ArtifactRef,
): JsonObject {
  const { k, temperatures, teacher } = options;
  const { endpoint, model, revision } = teacher;
  return {
    rows: logits.rows ?? 0,
    tokens: mass.tokens,
    distributions: mass.positions,
    k,
    vocabularySize,
    bytesPerToken: Number((logits.bytes / mass.tokens).toFixed(2)),
    capturedMass: describeMass(mass, temperatures),
    unalignedShare: Number((tally.count / data.samples).toFixed(4)),
    unaligned: tally.reasons,
    dataset: { ...data.statistics },
    teacher: { endpoint, model, revision },
    inputs: { dataset: dataset.digest, student: student.digest },
  };
}
