/**
 * The README.md of a promoted model, as the Hugging Face Hub reads it: YAML front matter, then the same facts in English and in
 * Japanese. A pure function of facts: what is not among them is said to be not recorded, never guessed and never left out.
 */
import { stringify } from 'yaml';
import type { Interval } from './statistics/proportions.js';

export interface ModelCardFacts {
  readonly name: string;
  /** Of the model itself, as somebody decided it. */
  readonly licence?: string;
  /** Digest of the weights. */
  readonly digest: string;
  readonly baseModel?: string;
  readonly teacher?: {
    readonly name: string;
    readonly revision?: string;
    /** As the plan states it: `teacher.terms.licence`. */
    readonly licence?: string;
    /** `teacher.terms.allowsTraining`. */
    readonly allowsTraining?: string;
  };
  readonly languages?: readonly string[];
  readonly data?: readonly { readonly name: string; readonly digest: string; readonly rows?: number }[];
  readonly scores?: readonly CardScore[];
  /** The sentences of the gate. */
  readonly gate?: { readonly verdict: string; readonly reasons: readonly string[] };
  /** Of the person who decided, and the digest of the verdict that they saw. */
  readonly approval?: {
    readonly by: string;
    readonly at: string;
    readonly verdict: string;
    readonly reason?: string | undefined;
  };
}

export interface CardScore {
  /** Which scorer, and its version. */
  readonly scorer: string;
  readonly value: number;
  readonly interval?: Interval;
  readonly items: number;
  readonly teacher?: number;
}

export function modelCard(facts: ModelCardFacts): string {
  const sections = [frontMatter(facts), `# ${inline(facts.name)}`, ...body(facts, english), ...body(facts, japanese)];
  return `${sections.join('\n\n')}\n`;
}

function frontMatter({ licence, baseModel, languages }: ModelCardFacts): string {
  const fields = {
    ...(languages && { language: languages }),
    // The Hub takes its own identifiers for licences; whatever else it is called stands in license_name.
    license: licence !== undefined && hubLicences.has(licence.toLowerCase()) ? licence.toLowerCase() : 'other',
    ...(licence !== undefined && !hubLicences.has(licence.toLowerCase()) && { license_name: licence }),
    ...(baseModel !== undefined && { base_model: baseModel }),
    pipeline_tag: 'text-generation',
    library_name: 'transformers',
    tags: ['knowledge-distillation', 'nightstill'],
  };
  return `---\n${stringify(fields)}---`;
}

const hubLicences = new Set(['apache-2.0', 'mit', 'bsd-3-clause', 'cc-by-4.0', 'cc-by-sa-4.0', 'cc0-1.0', 'unlicense']);

type Approval = NonNullable<ModelCardFacts['approval']>;

const english = {
  title: 'English',
  absent: 'not recorded',
  about: 'A small language model, distilled from a larger one by Nightstill.',
  facts: 'Facts',
  weights: 'Digest of the weights',
  licence: 'Licence of this model',
  base: 'Base model',
  teacher: 'Teacher',
  revision: 'Revision of the teacher',
  terms: 'Licence of the teacher',
  allows: 'Does it allow training on its answers?',
  data: 'Data',
  rows: 'rows',
  scores: 'Scores',
  columns: ['score', 'this model', 'interval', 'items', 'teacher'],
  gate: 'Why it was promoted',
  approval: ({ by, at, verdict }: Approval) => `approved by ${by} at ${at}, on the verdict ${verdict}`,
  reason: 'reason',
  serve: 'How to serve it',
};

const japanese: typeof english = {
  title: '日本語',
  absent: '記録なし',
  about: 'より大きな言語モデルから Nightstill で蒸留した小さな言語モデルです。',
  facts: '基本情報',
  weights: '重みのダイジェスト',
  licence: 'このモデルのライセンス',
  base: 'ベースモデル',
  teacher: '教師モデル',
  revision: '教師モデルのリビジョン',
  terms: '教師モデルのライセンス',
  allows: '教師の回答を学習に使えるか',
  data: 'データ',
  rows: '行',
  scores: 'スコア',
  columns: ['スコア', 'このモデル', '信頼区間', '項目数', '教師'],
  gate: '採用の理由',
  approval: ({ by, at, verdict }) => `承認者 ${by}、日時 ${at}、判定 ${verdict}`,
  reason: '理由',
  serve: '起動方法',
};

function body(facts: ModelCardFacts, words: typeof english): string[] {
  const { teacher, gate } = facts;
  const said = (value: string | undefined): string => (value === undefined ? words.absent : inline(value));
  const rows = [
    [words.weights, facts.digest],
    [words.licence, said(facts.licence)],
    [words.base, said(facts.baseModel)],
    [words.teacher, said(teacher?.name)],
    [words.revision, said(teacher?.revision)],
    [words.terms, said(teacher?.licence)],
    [words.allows, said(teacher?.allowsTraining)],
  ];
  return [
    `## ${words.title}`,
    words.about,
    `### ${words.facts}`,
    rows.map(([name, value]) => `- ${name}: ${value}`).join('\n'),
    `### ${words.data}`,
    dataList(facts, words),
    `### ${words.scores}`,
    scoreTable(facts, words),
    `### ${words.gate}`,
    gate ? [gate.verdict, ...gate.reasons, ...approvalLines(facts, words)].map(listed).join('\n') : words.absent,
    `### ${words.serve}`,
    '```sh\nnightstill serve .\n```',
  ];
}

const listed = (line: string): string => `- ${inline(line)}`;

const approvalLines = ({ approval }: ModelCardFacts, words: typeof english): string[] =>
  approval
    ? [words.approval(approval), ...(approval.reason === undefined ? [] : [`${words.reason}: ${approval.reason}`])]
    : [];

const dataList = ({ data }: ModelCardFacts, words: typeof english): string =>
  (data ?? [])
    .map(({ name, digest, rows }) => {
      const count = rows === undefined ? words.absent : rows.toLocaleString('en-US');
      return `- ${inline(name)}: ${digest}, ${words.rows}: ${count}`;
    })
    .join('\n') || words.absent;

function scoreTable({ scores }: ModelCardFacts, { absent, columns }: typeof english): string {
  if (!scores || scores.length === 0) return absent;
  const rows = scores.map(({ scorer, value, interval, items, teacher }) => [
    inline(scorer),
    value.toFixed(3),
    interval
      ? `${interval.lower.toFixed(3)} – ${interval.upper.toFixed(3)} (${Number((interval.level * 100).toFixed(2))} %)`
      : absent,
    String(items),
    teacher === undefined ? absent : teacher.toFixed(3),
  ]);
  return [columns, columns.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** Names come from others: on one line, and nothing in them is markup. */
const inline = (text: string): string => text.replaceAll(/\s+/gu, ' ').replaceAll(/[\\`*_[\]<>|#]/g, String.raw`\$&`);
