/** Scores of an evaluation become the tables that a gate decides on. */
import { pathToFileURL } from 'node:url';
import { decideGate, readScoreTables, type ScoreKinds, type ScoresBySystem } from '../../../evaluation/index.js';
import { gateSchema } from '../../../config/gate-schema.js';
import { linesOf } from '../../../evaluation/evaluate/item-result.js';
import { digestOf, openObjectStore, type ArtifactRef, type ObjectStore } from '../../../storage/index.js';
import { claim, stageKeyOf } from '../../support/stage.js';
import { temporaryDirectory } from '../../support/temporary.js';

let store: ObjectStore;
beforeAll(async () => {
  store = await openObjectStore(pathToFileURL(temporaryDirectory()).href, { forWriting: true });
});
afterAll(() => store.close());

async function scoresOf(system: string, values: readonly number[]): Promise<ArtifactRef> {
  const writer = await claim(store, stageKeyOf(system));
  const results = values.map((score, index) => ({
    id: `${index}`,
    scores: { judged: { score, detail: '' } },
    text: '',
    finish: 'stop' as const,
    promptTokens: 1,
    generatedTokens: 1,
  }));
  return writer.putArtifact({ kind: 'scores', parts: [await writer.putBlob(linesOf(results))], meta: {} });
}

it('the kind that its scorer says decides how scores are compared, whatever those of one night happen to be', async () => {
  const rights = (wrong: number): number[] => Array.from({ length: 100 }, (_, index) => (index < wrong ? 0 : 1));
  const [candidate, champion] = [await scoresOf('candidate', rights(20)), await scoresOf('champion', rights(21))];
  const halves = await scoresOf('teacher', [...rights(10).slice(1), 0.5]);
  const gate = gateSchema.parse([{ score: 'judged', notWorseThan: 'champion', margin: 0.2 }]);
  const methodOf = async (artifacts: ScoresBySystem, kinds?: ScoreKinds) => {
    const scores = await readScoreTables(store, artifacts, kinds);
    const tables = { candidate: digestOf('candidate'), champion: digestOf('champion'), scores, observations: {} };
    return decideGate(gate, tables).comparisons[0]?.method;
  };
  const both = { candidate, champion };
  expect(await methodOf(both, { judged: 'mean' })).toBe('paired-bootstrap');
  expect(await methodOf(both, { judged: 'right-wrong' })).toBe('tango');
  // Of an evaluation that has recorded nothing of it, the scores tell.
  expect(await methodOf(both)).toBe('tango');
  expect(await methodOf({ ...both, teacher: halves })).toBe('paired-bootstrap');
  expect(await methodOf({ ...both, teacher: halves }, { judged: 'right-wrong' })).toBe('tango');
});
