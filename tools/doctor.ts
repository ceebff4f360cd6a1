/**
 * Doctor: a list of checks, each of which says what is there, in what state, and why that one would be used. The list is
 * put together by the composition root, so that every room can add to it. A check changes nothing and ends by itself; one
 * that throws is a check that failed. The machine is healthy when every required check is ok.
 */
export interface Finding {
  readonly status: 'ok' | 'missing' | 'failed';
  /** What is there: version, place, size. */
  readonly detail: string;
  /** Why that one, or what follows from its absence. */
  readonly why: string;
  /** What to do, when there is something to do. */
  readonly remedy?: string;
}

export interface DoctorCheck {
  readonly name: string;
  /** Without it, what exists could not run. */
  readonly required: boolean;
  run(): Promise<Finding>;
}

interface CheckedFinding extends Finding {
  readonly name: string;
  readonly required: boolean;
}

export interface Diagnosis {
  readonly healthy: boolean;
  readonly checks: readonly CheckedFinding[];
}

/** All checks at once; their findings in the order of the list. */
export async function diagnose(checks: readonly DoctorCheck[]): Promise<Diagnosis> {
  const findings = await Promise.all(checks.map(runCheck));
  return { healthy: findings.every(({ status, required }) => status === 'ok' || !required), checks: findings };
}

async function runCheck(check: DoctorCheck): Promise<CheckedFinding> {
  const { name, required } = check;
  try {
    return { name, required, ...(await check.run()) };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const remedy = error instanceof Error && 'remedy' in error ? { remedy: String(error.remedy) } : {};
    return { name, required, status: 'failed', detail, why: 'the check ended with an error', ...remedy };
  }
}

const marks: Readonly<Record<Finding['status'], string>> = { ok: '✓', missing: '–', failed: '✗' };

/** For people: a line for each check, with the reason and the remedy below it. */
export function describeDiagnosis({ healthy, checks }: Diagnosis): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const indent = ' '.repeat(width + 4);
  const lines = checks.flatMap(({ name, status, required, detail, why, remedy }) => [
    `${marks[status]} ${name.padEnd(width)}  ${detail}${required && status !== 'ok' ? ' (required)' : ''}`,
    `${indent}${why}`,
    ...(remedy === undefined || status === 'ok' ? [] : [`${indent}→ ${remedy}`]),
  ]);
  return [
    ...lines,
    '',
    healthy ? 'Everything that is required is there.' : 'Something that is required is missing.',
  ].join('\n');
}
