/** A counting teacher as a process. Its one parameter is a `TeacherPlace` as JSON. */
import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CountingTeacher, faults } from '../counting-teacher.js';
import type { TeacherPlace } from '../teacher-process.js';

const lookEveryMs = 20;
const { port, log, hold }: TeacherPlace = JSON.parse(process.argv[2] ?? '');

/** How many requests may be answered, by all processes of the teacher; while the number is being written, none. */
function answeredAtMost(): number {
  try {
    return Number(readFileSync(hold, 'utf8'));
  } catch {
    return Infinity;
  }
}

let asked = readFileSync(log, 'utf8').split('\n').length - 1;
const teacher = await CountingTeacher.start(port);
teacher.faultFor = ({ key }) => {
  appendFileSync(log, `${key}\n`);
  const number = (asked += 1);
  return faults.after(async () => {
    while (number > answeredAtMost()) await sleep(lookEveryMs);
  });
};
process.stdout.write('teacher ready\n');
