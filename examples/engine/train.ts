/**
 * A language model of five million weights, trained from scratch on a text, on two cores, in minutes. A second run is killed
 * on the way (kill -9) and started again: what it ends with is bit for bit what the undisturbed run ends with. Then it writes.
 *
 *   npm run setup && npm run build
 *   node dist/examples/engine/train.js                         # learns the pages of this repository
 *   node dist/examples/engine/train.js --text book.txt --out /tmp/model --steps 300
 *
 * The three programs: this one prepares and compares, `training-process.ts` trains, `generate.ts` writes.
 */
import { fork } from 'node:child_process';
import { createReadStream, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  createConversationEncoder,
  openChatTemplate,
  openTokenizer,
  processSettings,
  trainBytePairTokenizer,
  writeShards,
  writeTrainedTokenizer,
  type TrainingEvent,
} from '../../engine/index.js';
import { packageRoot } from '../../tools/package-root.js';

/** What a training process is told, and what it tells. */
export interface Job {
  readonly directory: string;
  readonly data: string;
  readonly steps: number;
  readonly saveEvery: number;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly tokens: number;
  readonly threads: number;
}
export type Message =
  | TrainingEvent
  | { readonly kind: 'begun'; readonly text: string }
  | { readonly kind: 'ended'; readonly digest: string };

const { values } = parseArgs({
  options: {
    text: { type: 'string', multiple: true },
    out: { type: 'string' },
    steps: { type: 'string', default: '480' },
    layers: { type: 'string', default: '6' },
    hidden: { type: 'string', default: '256' },
    vocabulary: { type: 'string', default: '1024' },
  },
});
const pages = (directory: string): string[] =>
  readdirSync(directory).flatMap((name) => (name.endsWith('.md') ? [join(directory, name)] : []));
const texts = values.text ?? [packageRoot(), join(packageRoot(), 'docs')].flatMap(pages);
const out = values.out ?? (await mkdtemp(join(tmpdir(), 'nightstill-engine-')));
const threads = 2;
const [tokenizerDirectory, tokens] = [join(out, 'tokenizer'), 128];

const startedAtMs = performance.now();
// 1. A tokenizer of the text's own words, and the text as tokens in shards.
await writeTrainedTokenizer(tokenizerDirectory, () =>
  trainBytePairTokenizer(
    texts.map((text) => createReadStream(text, 'utf8')),
    { vocabularySize: Number(values.vocabulary) },
  ),
);
const encoder = createConversationEncoder({
  tokenizer: await openTokenizer(tokenizerDirectory),
  template: await openChatTemplate(tokenizerDirectory),
  endOfText: '<|endoftext|>',
});
const documents = texts.map((text) => ({ id: text, text: readFileSync(text, 'utf8') }));
const written = await writeShards(join(out, 'shards'), documents, encoder, { maximumTokens: tokens, tooLong: 'split' });
console.log(`${texts.length} texts, ${written.tokens} tokens, in ${out}`);

/** Trains in a process of its own, to the end or until it is killed; the digest of all that the run ends with. */
async function train(name: string, killAtStep?: number): Promise<string | undefined> {
  const steps = Number(values.steps);
  const [directory, saveEvery] = [join(out, name), Math.ceil(steps / 10)];
  await mkdir(directory, { recursive: true });
  const size = { layers: Number(values.layers), hiddenSize: Number(values.hidden) };
  const job: Job = { directory, data: out, steps, saveEvery, tokens, threads, ...size };
  const child = fork(join(import.meta.dirname, 'training-process.js'), [JSON.stringify(job)], {
    env: { ...process.env, ...processSettings({ threads }) },
  });
  let digest: string | undefined;
  child.on('message', (message: Message) => {
    if (message.kind === 'begun') console.log(`${name}: ${message.text}`);
    if (message.kind === 'ended') digest = message.digest;
    if (message.kind !== 'step') return;
    const { step, loss, tokensPerSecond } = message;
    if (step % saveEvery === 0)
      console.log(`${name}: step ${step}, loss ${loss.toFixed(3)}, ${tokensPerSecond.toFixed(0)} tokens/s`);
    if (step === killAtStep) child.kill('SIGKILL');
  });
  const signal = await new Promise<string | null>((resolve) => child.once('exit', (_, by) => resolve(by)));
  console.log(`${name}: ${signal === null ? 'done' : `killed by ${signal}`}`);
  return digest;
}

// 2. One run without a disturbance, one that dies on the way and is started again.
const undisturbed = await train('undisturbed');
await train('killed', Math.ceil(Number(values.steps) * 0.55));
const resumed = await train('killed');
console.log(`undisturbed  ${undisturbed}\nkilled       ${resumed}`);
if (undisturbed === undefined || undisturbed !== resumed) throw new Error('the runs differ');
console.log('equal: weights and moments, bit for bit\n');

// 3. What it has learned: it writes on from how the longest text begins.
const [longest] = documents.toSorted((one, other) => other.text.length - one.text.length);
const beginning = longest?.text.slice(0, 32) ?? '';
const writer = fork(join(import.meta.dirname, 'generate.js'), [join(out, 'killed', 'model'), beginning], {
  env: { ...process.env, ...processSettings({ threads }) },
});
process.exitCode = await new Promise<number>((resolve) => writer.once('exit', (code) => resolve(code ?? 1)));
console.log(`\n${((performance.now() - startedAtMs) / 1000).toFixed(0)} s in all, both runs, on ${threads} threads`);
