/**
 * Storage against plain `@aws-sdk/lib-storage` on the same real S3 server, each measurement in a process of its own, ours and
 * theirs in turn; and the stall of `save` against one memory copy of the same arrays.
 *
 *   npm run bench:storage
 */
import { fork } from 'node:child_process';
import { S3Server } from '../test/support/s3-server.js';
import { median, ratioOf, report, rounded, type Row } from './report.js';
import type { Measurement, Task } from './storage-task.js';

const rounds = 5;
const mebibyte = 2 ** 20;

interface Comparison {
  readonly work: string;
  readonly against: string;
  readonly task: Task['task'];
  readonly unit: 'MB/s' | 'objects/s';
}

const comparisons: readonly Comparison[] = [
  { work: 'put 1 GiB, one object, multipart', against: 'lib-storage Upload', task: 'put-large', unit: 'MB/s' },
  {
    work: 'put 1 GiB, hashed, as content-addressed blobs',
    against: 'lib-storage Upload',
    task: 'put-blobs',
    unit: 'MB/s',
  },
  { work: 'get 1 GiB, one object', against: 'GetObject', task: 'get-large', unit: 'MB/s' },
  {
    work: 'get 1 GiB, verified, from content-addressed blobs',
    against: 'GetObject, its stream hashed',
    task: 'get-blobs',
    unit: 'MB/s',
  },
  {
    work: 'put 2,000 objects of 10 kB, 16 at once',
    against: 'lib-storage Upload',
    task: 'put-small',
    unit: 'objects/s',
  },
  { work: 'get 2,000 objects of 10 kB, 16 at once', against: 'GetObject', task: 'get-small', unit: 'objects/s' },
];

async function main(): Promise<void> {
  const server = await S3Server.start();
  const rows: Row[] = [];
  let growthBytes = 0;
  try {
    for (const { work, against, task, unit } of comparisons) {
      const ours: number[] = [];
      const theirs: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const mine = await measure({ task, side: 'ours', url: server.url('bench') }, server.environment);
        const other = await measure({ task, side: 'theirs', url: server.url('bench') }, server.environment);
        ours.push(mine.rate);
        theirs.push(other.rate);
        growthBytes = Math.max(growthBytes, mine.rssGrowthBytes);
        process.stderr.write(
          `${work} ${round + 1}/${rounds}: ${mine.rate.toFixed(1)} / ${other.rate.toFixed(1)} ${unit}\n`,
        );
      }
      rows.push(compared({ work, against, ours, theirs, unit, goal: 0.95 }));
    }
    rows.push(atMost('largest growth of RSS in the rows above', 'a fixed limit', growthBytes / mebibyte, 150, 'MiB'));
    const stall = await measure({ task: 'stall', side: 'ours', url: server.url('bench') }, server.environment);
    rows.push(stallRow(stall));
  } finally {
    await server.stop();
  }
  await report(
    'storage',
    [`best of ${rounds}, ours and theirs in turn, one process each; versitygw 1.8.0 on loopback`],
    rows,
  );
}

function compared(
  row: Omit<Row, 'ratio' | 'met' | 'goal' | 'ours' | 'theirs'> & { ours: number[]; theirs: number[]; goal: number },
): Row {
  const ours = rounded(Math.max(...row.ours));
  const theirs = rounded(Math.max(...row.theirs));
  const ratio = ratioOf(ours, theirs);
  return { ...row, ours, theirs, ratio, goal: `≥ ${row.goal} ×`, met: ratio >= row.goal };
}

function atMost(work: string, against: string, ours: number, limit: number, unit: string): Row {
  return {
    work,
    against,
    ours: rounded(ours),
    theirs: limit,
    unit,
    ratio: ratioOf(ours, limit),
    goal: `< ${limit} ${unit}`,
    met: ours < limit,
  };
}

function stallRow({ stallMs = [], copyMs = [] }: Measurement): Row {
  const ours = rounded(median(stallMs));
  const theirs = rounded(median(copyMs));
  const work = 'stall of save, 256 MiB of arrays';
  const met = ours <= 1.2 * theirs;
  return {
    work,
    against: 'one memory copy of them',
    ours,
    theirs,
    unit: 'ms',
    ratio: ratioOf(ours, theirs),
    goal: '≤ 1.2 × the copy',
    met,
  };
}

function measure(task: Task, environment: Readonly<Record<string, string>>): Promise<Measurement> {
  return new Promise((resolve, reject) => {
    const program = new URL('./storage-task.js', import.meta.url);
    const child = fork(program, [JSON.stringify(task)], {
      env: { ...process.env, ...environment },
      execArgv: ['--expose-gc'],
    });
    child.once('message', (message) => resolve(message as Measurement));
    child.once('exit', (code) =>
      reject(new Error(`${task.task} (${task.side}) ended with ${code} and no measurement`)),
    );
  });
}

await main();
