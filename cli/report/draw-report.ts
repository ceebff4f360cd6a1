/** A report as text. Pure: the same report in the same language gives the same text. */
import type { RunReport } from '../../client/index.js';
import { formatUsd } from '../../config/format-usd.js';
import { formatBytes } from '../../tools/progress.js';
import { drawTable } from '../../tools/setup.js';
import { formatCount, shortDigest } from '../view/format.js';
import { words, type Language, type Words } from './words.js';

type Table = RunReport['tables'][number];
type Row = Table['systems'][number];
type Difference = Table['differences'][number];

export function drawReport(report: RunReport, language: Language): string {
  const say = words[language];
  const { runId, plan, status, tables, artifacts, withoutResult } = report;
  const sections = [
    say.run(runId, plan, say.status[status]),
    ...(tables.length === 0 ? [say.notEvaluated] : tables.map((table) => drawScores(table, say))),
    ...(tables.length === 0
      ? []
      : [[...latencies(tables, say), ...absent(report, say), ...costs(report, say)].join('\n')]),
    ...(report.reproductions.length === 0 ? [] : [drawReproductions(report, say)]),
    ...report.captures.map((captured) => drawCapture(captured, say)),
    decisions(report, say),
    ...(withoutResult.length === 0 ? [] : [say.withoutResult(withoutResult.join(', '))]),
    [
      say.artifacts,
      indent(drawTable(say.artifactColumns, artifacts.map(drawArtifact))),
      ...inexact(artifacts, say),
    ].join('\n'),
  ];
  return sections.join('\n\n');
}

function drawScores(table: Table, say: Words): string {
  const { scorer, items, dataset, systems, differences, decodedAlike } = table;
  const lines = differences.flatMap((difference) => drawDifference(difference, table, say));
  const isDistilled = systems.some(({ system }) => system === 'distilled');
  return [
    say.title(scorer, formatCount(items), shortDigest(dataset)),
    indent(
      drawTable(
        say.columns,
        systems.map((row) => drawRow(row, table, say)),
      ),
    ),
    ...lines,
    ...incomparables(systems, say),
    ...(differences.length === 0 && isDistilled ? [say.noControl] : []),
    ...(decodedAlike ? [] : [say.decodedUnlike]),
  ].join('\n');
}

const drawRow = (row: Row, table: Table, say: Words): string[] => [
  nameOf(row, table, say),
  scoreOf(table, row.mean),
  `${scoreOf(table, row.interval.lower)} – ${scoreOf(table, row.interval.upper)}`,
  row.agreement === null ? say.notKnown : percent(row.agreement),
  divergence(row.forwardKl, say),
  row.weightBytes === null ? say.notKnown : formatBytes(row.weightBytes),
  row.parameters === null ? say.notKnown : row.parameters.toLocaleString('en-US'),
  milliseconds(row.latencyP50Ms, say),
  milliseconds(row.latencyP95Ms, say),
  row.tokensPerSecond === null ? say.notKnown : formatCount(row.tokensPerSecond),
  money(row.usdPer1000, say),
  row.breakEvenRequests === null ? '–' : requests(row.breakEvenRequests, say),
];

/** Why some model has no distance from the teacher: each reason once. */
function incomparables(systems: readonly Row[], say: Words): string[] {
  const reasons = systems.flatMap(({ forwardKl }) =>
    forwardKl && 'notComparable' in forwardKl ? [forwardKl.notComparable] : [],
  );
  return [...new Set(reasons)].map((reason) => say.incomparable[reason]);
}

/** Where a plan has two of a kind, each bears the name of its node. */
function nameOf({ system, maker, evaluation }: Row, { systems }: Table, say: Words): string {
  const isOne = systems.filter((other) => other.system === system).length === 1 && system !== 'other';
  return isOne ? say.systems[system] : `${say.systems[system]} [${maker ?? evaluation}]`;
}

function drawDifference(difference: Difference, table: Table, say: Words): string[] {
  const { estimate, interval, method, gained, lost, conclusion, otherDifferences } = difference;
  const rowOf = (node: string) => table.systems.find(({ evaluation }) => evaluation === node);
  const names = [difference.candidate, difference.control].map((node) => {
    const row = rowOf(node);
    return row ? nameOf(row, table, say) : node;
  });
  const text = say.difference({
    of: names.join(' − '),
    estimate: differenceOf(table, estimate),
    interval: `${differenceOf(table, interval.lower)} – ${differenceOf(table, interval.upper)}`,
    method: { tango: 'Tango', 'paired-bootstrap': 'paired bootstrap' }[method],
    gained,
    lost,
    conclusion,
  });
  return otherDifferences?.length === 0 ? [text] : [text, say.otherDifferences(otherDifferences)];
}

function drawReproductions({ reproductions }: RunReport, say: Words): string {
  const rows = reproductions.map(({ system, maker, trained, heldOut, gap }) => {
    const isOne = reproductions.filter((other) => other.system === system).length === 1;
    return [
      isOne ? say.systems[system] : `${say.systems[system]} [${maker}]`,
      shareOf(trained),
      heldOut === null ? say.notKnown : shareOf(heldOut),
      heldOut === null ? '–' : say.against[heldOut.against],
      gap === null
        ? say.notKnown
        : `${points(gap.estimate)} (${points(gap.interval.lower)} – ${points(gap.interval.upper)})`,
    ];
  });
  const [heading, meaning] = say.reproduction;
  return `${heading}\n${indent(drawTable(say.reproductionColumns, rows))}\n${meaning}`;
}

type Share = RunReport['reproductions'][number]['trained'];

const shareOf = ({ reproduced, items, share, interval }: Share): string =>
  `${reproduced}/${items} = ${percent(share)} (${percent(interval.lower)} – ${percent(interval.upper)})`;

const points = (share: number): string => signed(`${(share * 100).toFixed(1)} pp`);

const absent = ({ notCompared }: RunReport, say: Words): string[] => [
  ...(notCompared.includes('teacher') ? [say.teacherNotMeasured] : []),
  say.notCompared,
];

/** A line a fact; a row for each interval of mass, a column for each temperature. */
function drawCapture(captured: RunReport['captures'][number], say: Words): string {
  const { node, rows, positions, k, bytesPerToken, unaligned, masses } = captured;
  const { heading, bytes, leftOut, otherwise, mean } = say.captured;
  const found = unaligned.of === 'endpoint' ? Object.entries(unaligned.reasons) : [];
  const reasons = found.toSorted(([, one], [, other]) => other - one);
  const shareOfRows = unaligned.share === null ? say.notKnown : percent(unaligned.share);
  const [first] = masses;
  const facts = [
    bytes(bytesPerToken.toFixed(2)),
    unaligned.of === 'model'
      ? otherwise(shareOfRows)
      : leftOut(shareOfRows, reasons.map(([reason, number]) => `${reason} ${formatCount(number)}`).join(', ')),
    mean(masses.map(({ temperature, mean: held }) => `${percent(held)} (T = ${temperature})`).join(', ')),
    drawTable(
      [say.captured.mass, ...masses.map(({ temperature }) => say.captured.positions(String(temperature)))],
      (first?.histogram ?? []).map(({ from, to }, bin) => [
        `${edge(from)} – ${edge(to)} %`,
        ...masses.map(({ histogram }) => ofAll(histogram[bin]?.positions ?? 0, positions)),
      ]),
    ),
  ];
  return [heading(node, formatCount(k), formatCount(positions), formatCount(rows)), ...facts.map(indent)].join('\n');
}

/** Without zeros that say nothing: 50, 99.9. */
const edge = (share: number): string => String(Number((share * 100).toFixed(3)));

const ofAll = (count: number, all: number): string => `${formatCount(count)} (${percent(all === 0 ? 0 : count / all)})`;

/** Models may have been evaluated with different numbers of requests side by side: then each of the numbers is told. */
function latencies(tables: readonly Table[], say: Words): string[] {
  const rows = tables.flatMap(({ systems }) => systems).filter(({ latencyP50Ms }) => latencyP50Ms !== null);
  const told = (asked: readonly Row[]): string =>
    [...new Set(asked.flatMap(({ sideBySide }) => sideBySide ?? []))].join(', ');
  const [ours, endpoints] = [
    told(rows.filter(({ model }) => model !== null)),
    told(rows.filter(({ model }) => model === null)),
  ];
  return [...(ours === '' ? [] : [say.latency(ours)]), ...(endpoints === '' ? [] : [say.latencyOfEndpoint(endpoints)])];
}

const costs = ({ distillationUsd, paid, teacherUsdPer1000 }: RunReport, say: Words): string[] => [
  say.money(money(distillationUsd, say)),
  ...(paid.length === 0
    ? []
    : [
        say.paid(
          money(totalOf(paid), say),
          paid.map(({ node, usd }) => `${node} ${money(usd, say)}`),
        ),
      ]),
  ...(teacherUsdPer1000 === 'not given' ? [] : [say.teacherMoney(money(teacherUsdPer1000, say))]),
];

/** Of what is not given nobody knows the sum. */
const totalOf = (paid: RunReport['paid']): number | 'not given' =>
  paid.reduce<number | 'not given'>(
    (total, { usd }) => (total === 'not given' || usd === 'not given' ? 'not given' : total + usd),
    0,
  );

const decisions = ({ canaries, verdicts, promotions, serving }: RunReport, say: Words): string =>
  [
    ...canaries.map(say.canaries),
    ...verdicts.flatMap((decided) => [
      say.verdict(decided.node, decided.verdict),
      ...say.reasons(decided).map((reason) => `  ${reason}`),
    ]),
    ...promotions.map((made) => say.promotion(`${made.name}/${made.alias}`, made)),
    ...serving.map(({ name, alias, system, reason }) => say.serving(say.systems[system], `${name}/${alias}`, reason)),
    ...(serving.length === 0 ? [say.nothingServes] : []),
  ].join('\n');

/** The nodes whose bits nobody can compute again, each once. */
function inexact(artifacts: RunReport['artifacts'], say: Words): string[] {
  const lines = artifacts.flatMap(({ node, kind, resumedInexactlyAt }) =>
    resumedInexactlyAt ? [[node, say.resumedInexactly(node, kind, resumedInexactlyAt)] as const] : [],
  );
  return [...new Map(lines).values()];
}

const drawArtifact = ({ node, output, bytes, rows, uri }: RunReport['artifacts'][number]): string[] => [
  node,
  output,
  formatBytes(bytes),
  rows === undefined ? '' : formatCount(rows),
  uri,
];

const indent = (text: string): string => text.replaceAll(/^/gm, '  ');

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** Shares of right answers in per cent, means as they are. */
const scoreOf = ({ kind }: Table, value: number): string =>
  kind === 'right-wrong' ? percent(value) : value.toFixed(3);

/** What is rounded to nothing has no sign. */
function signed(text: string): string {
  const magnitude = text.replace(/^-/, '');
  if (Number.parseFloat(magnitude) === 0) return magnitude;
  return text.startsWith('-') ? `−${magnitude}` : `+${magnitude}`;
}

const differenceOf = ({ kind }: Table, value: number): string =>
  signed(kind === 'right-wrong' ? `${(value * 100).toFixed(1)} %` : value.toFixed(3)).replace(/ %$/, ' pp');

const divergence = (found: Row['forwardKl'], say: Words): string => {
  if (found === null) return say.notKnown;
  if ('notComparable' in found) return say.notComparable;
  const { mean, interval } = found;
  return `${mean.toFixed(3)} (${interval.lower.toFixed(3)} – ${interval.upper.toFixed(3)})`;
};

const milliseconds = (value: number | null, say: Words): string =>
  value === null ? say.notKnown : `${formatCount(value)} ms`;

const money = (usd: number | 'not given', say: Words): string => (usd === 'not given' ? say.notGiven : formatUsd(usd));

const requests = (count: number | 'not given' | 'never', say: Words): string =>
  count === 'not given' ? say.notGiven : count === 'never' ? say.never : count.toLocaleString('en-US');
