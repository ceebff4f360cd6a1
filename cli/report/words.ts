/** What a report says, in English and in Japanese: the same substance, sentence by sentence. Numbers come formatted. */
import { dayOfRefusal, sayRefusal } from '../../config/refusal.js';
import { sayComparison } from '../../evaluation/report/index.js';
import type { RunReport } from '../../client/index.js';
import { japaneseReason } from './japanese-reasons.js';

type Table = RunReport['tables'][number];
type System = Table['systems'][number]['system'];
type Incomparable = Extract<
  NonNullable<Table['systems'][number]['forwardKl']>,
  { notComparable: unknown }
>['notComparable'];
type Conclusion = Table['differences'][number]['conclusion'];

/** A difference, formatted. */
export interface DifferenceText {
  readonly of: string;
  readonly estimate: string;
  readonly interval: string;
  readonly method: string;
  readonly gained: number;
  readonly lost: number;
  readonly conclusion: Conclusion;
}

export interface Words {
  readonly run: (runId: string, plan: string, status: string) => string;
  readonly status: Readonly<Record<RunReport['status'], string>>;
  readonly title: (scorer: string, items: string, dataset: string) => string;
  readonly systems: Readonly<Record<System, string>>;
  readonly columns: readonly string[];
  readonly notGiven: string;
  readonly notKnown: string;
  readonly never: string;
  readonly notComparable: string;
  readonly incomparable: Readonly<Record<Incomparable, string>>;
  readonly difference: (difference: DifferenceText) => string;
  readonly otherDifferences: (lines: readonly string[] | null) => string;
  readonly noControl: string;
  readonly notEvaluated: string;
  readonly decodedUnlike: string;
  /** The heading, then what it means. */
  readonly reproduction: readonly [string, string];
  readonly reproductionColumns: readonly string[];
  readonly against: Readonly<Record<'teacher' | 'references', string>>;
  /** What a capture has kept. */
  readonly captured: {
    readonly heading: (node: string, k: string, positions: string, rows: string) => string;
    readonly bytes: (bytes: string) => string;
    /** @param reasons empty where every row is there */
    readonly leftOut: (share: string, reasons: string) => string;
    readonly otherwise: (share: string) => string;
    readonly mean: (means: string) => string;
    /** Heads of the columns. */
    readonly mass: string;
    readonly positions: (temperature: string) => string;
  };
  readonly latency: (sideBySide: string) => string;
  /** The same of a model that answered over a network. */
  readonly latencyOfEndpoint: (sideBySide: string) => string;
  readonly teacherNotMeasured: string;
  readonly notCompared: string;
  readonly money: (distillation: string) => string;
  /** @param stages each with its amount */
  readonly paid: (total: string, stages: readonly string[]) => string;
  readonly teacherMoney: (per1000: string) => string;
  readonly canaries: (drift: RunReport['canaries'][number]) => string;
  readonly verdict: (node: string, verdict: string) => string;
  readonly reasons: (decided: RunReport['verdicts'][number]) => readonly string[];
  readonly promotion: (place: string, made: RunReport['promotions'][number]) => string;
  readonly serving: (system: string, place: string, reason: string) => string;
  readonly nothingServes: string;
  readonly withoutResult: (nodes: string) => string;
  /** By the kind of what came out: trainings count steps, distributions rows, scores items. */
  readonly resumedInexactly: (node: string, kind: string, places: readonly number[]) => string;
  readonly artifacts: string;
  readonly artifactColumns: readonly string[];
}

const english: Words = {
  run: (runId, plan, status) => `run ${runId} of plan ${plan}: ${status}`,
  status: { open: 'still open', completed: 'completed', failed: 'failed', cancelled: 'cancelled' },
  title: (scorer, items, dataset) => `${scorer} on ${items} items (evaluation set ${dataset})`,
  systems: {
    teacher: 'teacher',
    base: 'base student',
    'fine-tuned': 'fine-tuned (SFT)',
    distilled: 'distilled (KD)',
    control: 'control (CE only)',
    champion: 'champion',
    other: 'other',
  },
  columns: [
    'model',
    'score',
    '95 % interval',
    'as the teacher',
    'KL to the teacher',
    'weights',
    'parameters',
    'p50',
    'p95',
    'tokens/s',
    'per 1,000 requests',
    'pays off after',
  ],
  notGiven: 'not given',
  notKnown: 'not known',
  never: 'never',
  notComparable: 'not comparable',
  incomparable: {
    'tokenizers-differ': 'KL to the teacher is not comparable: the tokenizers of teacher and student differ.',
    'ids-missing': 'KL to the teacher is not comparable: one of the models lacks ids of their tokenizer.',
  },
  difference: ({ of, estimate, interval, method, gained, lost, conclusion }) =>
    `${of}: ${estimate} (95 % interval ${interval}, ${method}); better on ${gained} items, worse on ${lost}. ` +
    {
      better: 'Distilling made the student better than the same training without the distributions of the teacher.',
      'no-difference-shown':
        'No difference is shown between distilling and the same training without the distributions of the teacher.',
      worse: 'Distilling made the student worse than the same training without the distributions of the teacher.',
    }[conclusion],
  otherDifferences: (lines) =>
    lines === null
      ? 'How the two were trained is not known from this run: α alone may not explain the difference.'
      : `The two differ in more than α, so α alone does not explain the difference: ${lines.join(', ')}.`,
  noControl:
    'No control was evaluated: nothing here says what the distributions of the teacher were worth (`control: true` in the plan).',
  notEvaluated: 'Nothing was evaluated in this run: there are no scores to report.',
  decodedUnlike:
    'The models were not asked with the same lengths, stops and context: scores may differ for that alone.',
  reproduction: [
    'Answers reproduced word for word (95 % interval)',
    'A large gap: the model recites what it was taught. A gap whose interval holds 0: that is not shown.',
  ],
  reproductionColumns: ['model', 'training rows', 'held-out rows', 'against', 'gap'],
  against: { teacher: 'answers of the teacher', references: 'references' },
  captured: {
    heading: (node, k, positions, rows) =>
      `Distributions of the teacher (${node}): the ${k} most probable ids at each of ${positions} positions, in ${rows} rows`,
    bytes: (bytes) => `Bytes a token: ${bytes}`,
    leftOut: (share, reasons) => `Rows unaligned, and left out: ${share}${reasons && ` (${reasons})`}`,
    otherwise: (share) => `Rows unaligned, which the teacher's own chat template would write otherwise: ${share}`,
    mean: (means) => `Captured mass, on average: ${means}`,
    mass: 'captured mass',
    positions: (temperature) => `positions at T = ${temperature}`,
  },
  latency: (sideBySide) =>
    `p50 and p95: from request to the end of the answer, ${sideBySide} requests side by side, on the machine of the evaluation.`,
  latencyOfEndpoint: (sideBySide) =>
    `Of what is behind an endpoint: with the network, ${sideBySide} requests side by side, when they were asked.`,
  teacherNotMeasured: 'The teacher was not measured: nothing here says how near the students come to it.',
  notCompared:
    'Not compared: a stock small model, and the teacher quantized. Either may be the better answer to the same question.',
  money: (distillation) =>
    `Making the student has cost: ${distillation}, with all stages that were reused. What was not given is never counted as 0.`,
  paid: (total, stages) =>
    `Paid to endpoints, by this run or by an earlier one whose replies it reuses: ${total} (${stages.join(', ')}).`,
  teacherMoney: (per1000) => `1,000 requests to the teacher cost: ${per1000}.`,
  canaries: ({ prompts, changed, since, served, sampled }) =>
    `The teacher answers ${changed === 0 ? `all ${prompts}` : `${prompts - changed} of ${prompts}`} canary prompts as in run ${since}${served ? `, and now calls itself ${served.now}` : ''}.${sampled && changed > 0 ? ' It takes no temperature: answers differ by chance as well.' : ''}`,
  verdict: (node, verdict) => `Gate ${node}: ${verdict}`,
  reasons: ({ reasons }) => reasons,
  promotion: (place, { promoted, why, refusedBefore }) =>
    promoted
      ? `Promoted to ${place}: ${why}`
      : `Not promoted to ${place}: ${refusedBefore ? sayRefusal(refusedBefore, refusedBefore.run) : why}`,
  serving: (system, place, reason) => `${place} serves the ${system} of this run: ${reason}`,
  nothingServes: 'No model of this run serves under a name.',
  withoutResult: (nodes) => `Without a result, or no longer kept: ${nodes}`,
  resumedInexactly: (node, kind, places) =>
    `${node}: resumed inexactly at ${{ logits: 'row', scores: 'item' }[kind] ?? 'step'} ${places.join(', ')}, on a machine that computes other bits`,
  artifacts: 'Where it lies',
  artifactColumns: ['node', 'output', 'size', 'rows', 'address'],
};

const japanese: Words = {
  run: (runId, plan, status) => `実行 ${runId}（プラン ${plan}）: ${status}`,
  status: { open: '実行中', completed: '完了', failed: '失敗', cancelled: 'キャンセル' },
  title: (scorer, items, dataset) => `${scorer}、${items} 問（評価データ ${dataset}）`,
  systems: {
    teacher: '教師',
    base: '学習前の生徒',
    'fine-tuned': 'ファインチューニング (SFT)',
    distilled: '蒸留 (KD)',
    control: '対照 (CE のみ)',
    champion: '現行モデル (champion)',
    other: 'その他',
  },
  columns: [
    'モデル',
    'スコア',
    '95 % 区間',
    '教師との一致',
    '教師との KL',
    '重み',
    'パラメータ数',
    'p50',
    'p95',
    'tokens/s',
    '1,000 回の費用',
    '元が取れる回数',
  ],
  notGiven: '未指定',
  notKnown: '不明',
  never: 'なし',
  notComparable: '比較不可',
  incomparable: {
    'tokenizers-differ': '教師との KL は比較できません: 教師と生徒のトークナイザーが異なります。',
    'ids-missing': '教師との KL は比較できません: どちらかのモデルに、トークナイザーの ID の一部がありません。',
  },
  difference: ({ of, estimate, interval, method, gained, lost, conclusion }) =>
    `${of}: ${estimate}（95 % 区間 ${interval}、${method}）。勝った問題 ${gained}、負けた問題 ${lost}。` +
    {
      better: '蒸留した生徒は、教師の分布を使わない同じ学習より良くなりました。',
      'no-difference-shown': '蒸留と、教師の分布を使わない同じ学習との間に、差は示されませんでした。',
      worse: '蒸留した生徒は、教師の分布を使わない同じ学習より悪くなりました。',
    }[conclusion],
  otherDifferences: (lines) =>
    lines === null
      ? '両者の学習条件はこの実行からは分かりません。差の原因は α だけとは限りません。'
      : `両者は α 以外にも違いがあり、差の原因は α だけとは言えません: ${lines.join('、')}`,
  noControl:
    '対照は評価されていません。教師の分布にどれだけの価値があったかは分かりません（プランに `control: true`）。',
  notEvaluated: 'この実行では何も評価されていないため、スコアはありません。',
  decodedUnlike:
    '各モデルの長さの上限、停止文字列、コンテキスト長が同じではありません。スコアの差はそれだけでも生じ得ます。',
  reproduction: [
    '回答をそのまま再現した割合（95 % 区間）',
    '差が大きいモデルは、教えられた回答を暗唱しています。差の区間が 0 を含む場合、暗唱は示されていません。',
  ],
  reproductionColumns: ['モデル', '学習データ', '未学習データ', '比較対象', '差'],
  against: { teacher: '教師の回答', references: '参照回答' },
  captured: {
    heading: (node, k, positions, rows) =>
      `教師の分布（${node}）: ${rows} 行の ${positions} 位置それぞれで、確率の高い ${k} 個の ID`,
    bytes: (bytes) => `1 トークンあたりのバイト数: ${bytes}`,
    leftOut: (share, reasons) => `整合せず除外した行: ${share}${reasons && `（${reasons}）`}`,
    otherwise: (share) => `教師自身のチャットテンプレートでは異なる表記になる行: ${share}`,
    mean: (means) => `捉えた確率質量の平均: ${means}`,
    mass: '捉えた確率質量',
    positions: (temperature) => `位置の数（T = ${temperature}）`,
  },
  latency: (sideBySide) =>
    `p50 と p95: リクエストから回答の終わりまでの時間（同時 ${sideBySide} リクエスト、評価を行ったマシンでの値）。`,
  latencyOfEndpoint: (sideBySide) =>
    `エンドポイントの値: 質問した時点の、ネットワークを含む時間（同時 ${sideBySide} リクエスト）。`,
  teacherNotMeasured: '教師は評価されていません。生徒が教師にどこまで近づいたかは、この表からは分かりません。',
  notCompared:
    '比較していないもの: 既製の小型モデルと、量子化した教師。同じ目的には、そのどちらかの方が適しているかもしれません。',
  money: (distillation) =>
    `生徒を作るのにかかった費用（再利用したステージを含む）: ${distillation}。未指定の価格を 0 として数えることはありません。`,
  paid: (total, stages) =>
    `エンドポイントへの支払い（この実行、または回答を再利用した以前の実行による）: ${total}（${stages.join('、')}）。`,
  teacherMoney: (per1000) => `教師への 1,000 回のリクエストの費用: ${per1000}。`,
  canaries: ({ prompts, changed, since, served, sampled }) =>
    `教師は、カナリアのプロンプト ${prompts} 件のうち ${prompts - changed} 件に、実行 ${since} と同じ回答をしました${served ? `（現在の名乗り: ${served.now}）` : ''}。${sampled && changed > 0 ? 'この教師は temperature を受け付けないため、回答は偶然にも変わります。' : ''}`,
  verdict: (node, verdict) => `ゲート ${node}: ${verdict}`,
  reasons: ({ verdict, reasons, comparisons }) => {
    if (verdict === 'unchanged') return ['変更なし: 候補は、すでに提供されている現行モデル (champion) です'];
    if (comparisons === undefined) return reasons;
    const told = comparisons.map((comparison) => sayComparison(comparison, 'ja'));
    // The only reason that is none of a requirement.
    return reasons.length > told.length
      ? [...told, '判定不能: 品質を問う要件に、適用できるものがありません。champion を必要としない下限を加えてください']
      : told;
  },
  promotion: (place, { promoted, why, refusedBefore }) => {
    if (promoted) return `${place} に昇格しました: ${japaneseReason(why)}`;
    const before =
      refusedBefore &&
      `同じ候補が ${dayOfRefusal(refusedBefore)} の実行 ${refusedBefore.run} で見送られ、その後変更はありません: `;
    return `${place} には昇格していません: ${before ?? ''}${japaneseReason(why)}`;
  },
  serving: (system, place, reason) => `${place} はこの実行の「${system}」を提供しています: ${japaneseReason(reason)}`,
  nothingServes: 'この実行のモデルは、どの名前でも提供されていません。',
  withoutResult: (nodes) => `結果がない、または保存されていないノード: ${nodes}`,
  resumedInexactly: (node, kind, places) =>
    `${node}: ${{ logits: '行', scores: '問' }[kind] ?? 'ステップ'} ${places.join(', ')} から、異なるビットを計算するマシンで再開（厳密な再開ではありません）`,
  artifacts: '保存場所',
  artifactColumns: ['ノード', '出力', 'サイズ', '行数', 'アドレス'],
};

export const languages = ['en', 'ja'] as const;
export type Language = (typeof languages)[number];

export const words: Readonly<Record<Language, Words>> = { en: english, ja: japanese };
