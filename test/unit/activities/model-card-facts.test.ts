/** What the card of a promoted model says of its teacher, from what the plan says of it. */
import { cardFacts } from '../../../activities/model-card-facts.js';
import { promoteOptions } from '../../../config/gate-options.js';
import type { VerdictRecord } from '../../../config/verdict.js';
import { modelCard } from '../../../evaluation/index.js';
import { digestOf } from '../../../storage/index.js';

const model = { kind: 'model', digest: digestOf('student'), uri: 'blobs/student', bytes: 1, indexBytes: 1 };

function cardWith(teacher: unknown): string {
  const verdict = { name: 'support', verdict: 'pass', reasons: [], scores: [] } as unknown as VerdictRecord;
  return modelCard(cardFacts(verdict, promoteOptions.parse({ teacher }), { model, dataset: undefined }));
}

it('a teacher in a directory has its terms in the card, in both languages, and nothing of where it lay', () => {
  const card = cardWith({
    model: 'file:///home/me/qwen3-8b',
    terms: { licence: 'Apache-2.0', allowsTraining: { approvedBy: 'legal' } },
  });
  for (const line of [
    '- Teacher: qwen3-8b',
    '- Licence of the teacher: Apache-2.0',
    '- Does it allow training on its answers?: approved by legal',
    '- 教師モデル: qwen3-8b',
    '- 教師モデルのライセンス: Apache-2.0',
  ])
    expect(card).toContain(line);
  expect(card).not.toContain('/home/me');
});

it('one of which the plan gives a path alone has terms that are not recorded', () => {
  const card = cardWith('/models/qwen3-8b/');
  expect(card).toContain(
    '- Teacher: qwen3-8b\n- Revision of the teacher: not recorded\n- Licence of the teacher: not recorded',
  );
});
