/** The facts on the card of a promoted model. A path would tell about a machine: of a directory only the last name is given. */
import type { ApprovalDecision } from '../config/approval.js';
import type { PromoteOptions } from '../config/gate-options.js';
import type { VerdictRecord } from '../config/verdict.js';
import type { ModelCardFacts } from '../evaluation/index.js';
import type { ArtifactRef } from '../storage/index.js';

export function cardFacts(
  { name, verdict, reasons, scores }: VerdictRecord,
  { licence, languages, teacher, student }: PromoteOptions,
  { model, dataset }: { readonly model: ArtifactRef; readonly dataset: ArtifactRef | undefined },
  decision?: ApprovalDecision,
): ModelCardFacts {
  const base = typeof student === 'object' && student !== null && 'model' in student ? student['model'] : student;
  return {
    name,
    digest: model.digest,
    ...(licence !== undefined && { licence }),
    ...(typeof base === 'string' && { baseModel: nameOf(base) }),
    ...(teacher !== undefined && { teacher: teacherFacts(teacher) }),
    ...(languages && { languages }),
    ...(dataset && {
      data: [{ name: 'dataset', digest: dataset.digest, ...(dataset.rows !== undefined && { rows: dataset.rows }) }],
    }),
    scores: scores.map(({ scorer, value, interval, items, others }) => ({
      scorer,
      value,
      interval,
      items,
      ...(others.teacher !== undefined && { teacher: others.teacher }),
    })),
    gate: { verdict, reasons },
    ...(decision?.by !== undefined && { approval: { ...decision, by: decision.by } }),
  };
}

function teacherFacts(teacher: NonNullable<PromoteOptions['teacher']>): NonNullable<ModelCardFacts['teacher']> {
  if (typeof teacher === 'string') return { name: nameOf(teacher) };
  const { model, terms } = teacher;
  const { allowsTraining } = terms;
  const allowed = typeof allowsTraining === 'string' ? allowsTraining : `approved by ${allowsTraining.approvedBy}`;
  const said = { licence: terms.licence, allowsTraining: allowed };
  return teacher.endpoint !== undefined
    ? { name: model, revision: teacher.revision, ...said }
    : { name: nameOf(model), ...said };
}

const nameOf = (place: string): string =>
  place
    .replace(/[?].*$/, '')
    .replace(/\/+$/, '')
    .split('/')
    .at(-1) ?? place;
