/** How the demo ends: where everything lies, and what to try next. The commands are the same in both languages. */
import type { Language } from '../../cli/report/words.js';

export interface Closing {
  readonly language: Language;
  readonly runId: string;
  readonly plan: string;
  readonly data: string;
  /** Whether a model serves under the name of the plan: the gate may have said no. */
  readonly promoted: boolean;
}

const words = {
  en: {
    data: 'questions and database  ',
    logs: 'logs                    ',
    next: 'To try next:',
    serves: 'what was promoted; and in another terminal:',
    notPromoted: 'nothing was promoted',
    again: 'the next night: nothing has changed, nothing runs',
    kill: 'kill its trainer',
  },
  ja: {
    data: '質問とデータベース  ',
    logs: 'ログ                ',
    next: '次に試せること:',
    serves: '昇格したモデルを提供する。別の端末で:',
    notPromoted: '昇格したモデルはありません',
    again: '次の夜: 何も変わっていないので、何も実行されない',
    kill: '学習プロセスを強制終了してみる',
  },
} as const satisfies Record<Language, object>;

const main = 'node dist/cli/main.js';
const question = '{"role": "user", "content": "how many customers living in Osaka are there"}';

export function closing({ language, runId, plan, data, promoted }: Closing): string {
  const say = words[language];
  const ask = promoted
    ? `  ${main} serve sql/champion     # ${say.serves}
  curl http://127.0.0.1:8000/v1/chat/completions -H 'Content-Type: application/json' -d '{"model": "sql/champion", "messages": [${question}]}'`
    : `  ${main} export ${runId} ./student --node kd && ${main} serve ./student     # ${say.notPromoted}`;
  return `  ${say.data}./${data}
  ${say.logs}./.nightstill/logs

  ${say.next}
${ask}
  ${main} run ${plan}            # ${say.again}
  ${main} run examples/sql/micro.yaml --prove     # ${say.kill}`;
}
