/** What a storm disturbs: a plan whose stages are known, and the teacher that one of them asks. */
import type { Json } from '../../storage/index.js';
import type { StageLife } from './kill-orders.js';
import type { NightFiles } from './night-files.js';
import type { S3Server } from './s3-server.js';
import type { SlowProxy } from './slow-proxy.js';
import type { TeacherProcess } from './teacher-process.js';

export interface PlanRequest {
  readonly store: string;
  /** Of a training. Default: one, so that two fit on two cores, also when one of them is stopped. */
  readonly threads?: number;
}

/** What is disturbed. */
export interface Pipeline {
  /** In the order in which a run comes to them. */
  readonly stages: readonly StageLife[];
  readonly plan: (request: PlanRequest) => Json;
  /** Where a stage asks one. */
  readonly teacher?: TeacherProcess;
}

export interface StormPlace {
  readonly s3: S3Server;
  readonly source: SlowProxy;
  readonly files: NightFiles;
}
