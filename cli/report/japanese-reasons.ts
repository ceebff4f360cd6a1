/**
 * Why a name was moved, or was not, in Japanese: the reasons that this package itself gives, which a store keeps in English. What a
 * person wrote stays as it was written, and so does what is not known here.
 */
type Known = readonly [pattern: RegExp, say: (...found: string[]) => string];

/** In the order in which they are tried. */
const known: readonly Known[] = [
  [/^it passed its gate$/, () => 'ゲートに合格しました'],
  [/^the verdict of its gate is (.+)$/, (verdict) => `ゲートの判定は ${verdict} でした`],
  [/^it was rolled back$/, () => '以前にロールバックされたモデルです'],
  [/^nobody was asked to approve it$/, () => '承認を求められた人がいません'],
  [/^nobody decided until (.+)$/, (at) => `${at} までに誰も決定しませんでした`],
  [/^rejected by ([^:]*)(?:: (.*))?$/s, (by, why) => `${by} が却下しました${remark(why)}`],
  // The requirements stand, in Japanese, with the verdict of the gate.
  [
    /^passed its gate in run ([^\s:]+):.*; approved by ([^:;]*)(?:: (.*))?$/s,
    (run, by, why) => `実行 ${run} でゲートに合格し、${by} が承認しました${remark(why)}`,
  ],
  [/^passed its gate in run ([^\s:]+):.*$/s, (run) => `実行 ${run} でゲートに合格しました`],
];

const remark = (why: string | undefined): string => (why === undefined || why === '' ? '' : `: ${why}`);

export function japaneseReason(reason: string): string {
  for (const [pattern, say] of known) {
    const found = pattern.exec(reason);
    if (found) return say(...found.slice(1));
  }
  return reason;
}
