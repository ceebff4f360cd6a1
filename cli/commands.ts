/** The verbs, in the order in which they are listed. */
import { approveCommand, rejectCommand } from './approve.js';
import { cancelCommand } from './cancel.js';
import type { Command } from './command.js';
import { completionCommand } from './completion.js';
import { devCommand } from './dev.js';
import { doctorCommand } from './doctor.js';
import { explainCommand } from './explain.js';
import { exportCommand } from './export.js';
import { gcCommand } from './gc.js';
import { logsCommand } from './logs.js';
import { modelsCommand } from './models.js';
import { planCommand } from './plan.js';
import { reportCommand } from './report.js';
import { runCommand } from './run.js';
import { scheduleCommand } from './schedule.js';
import { serveCommand } from './serve.js';
import { setupCommand } from './setup.js';
import { statusCommand } from './status.js';
import { tokenizerCommand } from './tokenizer.js';
import { watchCommand } from './watch.js';
import { workerCommand } from './worker.js';

export const commands: readonly Command[] = [
  runCommand,
  planCommand,
  statusCommand,
  watchCommand,
  logsCommand,
  explainCommand,
  reportCommand,
  approveCommand,
  rejectCommand,
  cancelCommand,
  scheduleCommand,
  devCommand,
  workerCommand,
  serveCommand,
  setupCommand,
  doctorCommand,
  completionCommand(() => commands),
  modelsCommand,
  exportCommand,
  gcCommand,
  tokenizerCommand,
];
