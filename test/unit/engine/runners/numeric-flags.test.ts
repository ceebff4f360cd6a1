/** Which variables of the environment are part of what a state says of its making, and what a process sets to go on from it. */
import { describeProcessor } from '../../../../engine/runners/processor.js';
import { flagsToAdopt, numericFlags } from '../../../../engine/runners/numeric-flags.js';
import { processSettings } from '../../../../engine/runners/process-settings.js';

const recorded = {
  NVIDIA_TF32_OVERRIDE: '0',
  ONEDNN_MAX_CPU_ISA: 'AVX2',
  TF_CUDNN_DETERMINISTIC: '1',
  TF_XLA_FLAGS: '--tf_xla_auto_jit=2',
  XLA_FLAGS: '--xla_cpu_enable_fast_math=true --xla_gpu_autotune_level=0',
};

it('what a process is started with by default is no flag: fingerprints are those of before', () => {
  const settings = processSettings({ threads: 2, xlaCacheDirectory: '/caches/xla' });
  expect(settings['TF_XLA_FLAGS']).toContain('/caches/xla');
  expect(numericFlags(settings)).toEqual({});
});

it('flags that change results are recorded, and where this machine keeps and dumps things is not', () => {
  const flags = {
    ...recorded,
    TF_XLA_FLAGS: `${recorded.TF_XLA_FLAGS} --tf_xla_persistent_cache_directory=/caches/xla`,
    XLA_FLAGS: `--xla_dump_to=/tmp/dump  ${recorded.XLA_FLAGS}`,
  };
  expect(numericFlags(flags)).toEqual(recorded);
  expect(numericFlags({ TF_ENABLE_ONEDNN_OPTS: '0' })).toEqual({ TF_ENABLE_ONEDNN_OPTS: '0' });
});

it('variables of other tools are neither recorded nor set', () => {
  const others = {
    TF_TOKEN_app_terraform_io: 'secret',
    TF_VAR_password: 'secret',
    XLA_FLAGS_OF_MINE: 'x',
    PATH: '/bin',
  };
  expect(numericFlags(others)).toEqual({});
  expect(flagsToAdopt({}, { ...others, LD_PRELOAD: 'evil.so' })).toEqual({});
});

it('a process takes the flags of a state, drops those of its own, and keeps what is of its machine', () => {
  const local = '--tf_xla_persistent_cache_directory=/caches/xla';
  const own = { TF_XLA_FLAGS: local, TF_USE_CUBLASLT: '1', NVIDIA_TF32_OVERRIDE: '0', HOME: '/root' };
  const changes = flagsToAdopt(own, { runner: 'tensorflow', threads: 2, ...recorded });
  const { NVIDIA_TF32_OVERRIDE: same, ...others } = recorded;
  expect(same).toBe(own.NVIDIA_TF32_OVERRIDE);
  const jit = `${recorded.TF_XLA_FLAGS} ${local}`;
  expect(changes).toEqual({ ...others, TF_XLA_FLAGS: jit, TF_USE_CUBLASLT: undefined });
  expect(numericFlags({ ...own, ...changes })).toEqual(recorded);
});

it('a state of a process without flags, or of a release that recorded none, is gone on from without flags', () => {
  const before = { runner: 'tensorflow', gpu: false, threads: 2, processor: describeProcessor() };
  const changes = flagsToAdopt({ ...recorded, TF_ENABLE_ONEDNN_OPTS: '0' }, before);
  expect(numericFlags({ ...recorded, ...changes })).toEqual({});
  expect(changes['TF_ENABLE_ONEDNN_OPTS']).toBe('1');
});

it('a path is of one machine: no other takes it, and none gives up its own', () => {
  const found = '--xla_gpu_cuda_data_dir=/usr/local/cuda';
  expect(flagsToAdopt({}, { XLA_FLAGS: found })).toEqual({});
  expect(flagsToAdopt({ XLA_FLAGS: found }, {})).toEqual({});
});
