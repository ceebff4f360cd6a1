import { NightstillError } from '../../../config/errors.js';
import { describeDiagnosis, diagnose, type DoctorCheck, type Finding } from '../../../tools/doctor.js';
import { nightstill } from '../../support/nightstill.js';
import { temporaryDirectory } from '../../support/temporary.js';

const check = (required: boolean, run: () => Promise<Finding>): DoctorCheck => ({ name: 'sample', required, run });
const finding = (status: Finding['status']): Finding => ({ status, detail: 'a', why: 'b', remedy: 'c' });

describe('the doctor', () => {
  it('calls a machine healthy when every required check is ok', async () => {
    const healthOf = async (required: boolean, status: Finding['status']) =>
      (await diagnose([check(required, () => Promise.resolve(finding(status)))])).healthy;
    expect(await healthOf(true, 'ok')).toBe(true);
    expect(await healthOf(true, 'missing')).toBe(false);
    expect(await healthOf(true, 'failed')).toBe(false);
    expect(await healthOf(false, 'failed')).toBe(true);
  });

  it('takes a check that throws for one that failed, and gives the remedy of the error', async () => {
    const throwing = check(true, () => Promise.reject(new NightstillError('store-missing', 'expected a bucket')));
    const { healthy, checks } = await diagnose([throwing]);
    expect(healthy).toBe(false);
    expect(checks[0]).toMatchObject({ status: 'failed', detail: 'expected a bucket', remedy: expect.any(String) });
  });

  it('says of each check what, in which state, why, and what to do about it', async () => {
    const diagnosis = await diagnose([check(true, () => Promise.resolve(finding('missing')))]);
    const lines = describeDiagnosis(diagnosis).split('\n');
    expect(lines.map((line) => line.trim())).toEqual([
      '– sample  a (required)',
      'b',
      '→ c',
      '',
      'Something that is required is missing.',
    ]);
  });
});

describe('on a machine where nothing is installed', () => {
  it('the doctor says so of every part, and ends with 1', async () => {
    const variables = { PATH: temporaryDirectory(), NIGHTSTILL_CACHE: temporaryDirectory() };
    const { status, standardOutput } = await nightstill(['doctor', '--json'], variables);
    const diagnosis = JSON.parse(standardOutput);
    const states = Object.fromEntries(
      diagnosis.checks.map((entry: DoctorCheck & Finding) => [entry.name, entry.status]),
    );
    expect(status).toBe(1);
    expect(diagnosis.healthy).toBe(false);
    expect(states).toMatchObject({
      node: 'ok',
      npm: 'missing',
      python: 'missing',
      compiler: 'missing',
      go: 'missing',
      'temporal-server': 'missing',
      'temporal-worker': 'ok',
      's3-server': 'missing',
      tensorflow: 'missing',
      'object store': 'missing',
    });
    for (const entry of diagnosis.checks) expect(entry.why).toMatch(/\w/);
  });
});
