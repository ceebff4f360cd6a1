/**
 * Variables of the environment that change the bits which TensorFlow computes: the precision of products, the choice and order of
 * algorithms, what XLA may do. They are part of a fingerprint, and whoever goes on with a state sets those that it was made
 * under, before TensorFlow is loaded. Only names known here are read or set: other tools have variables that begin with TF_ too,
 * and secrets in them.
 */
export type Variables = Readonly<Record<string, string | undefined>>;

const names = [
  /^(TF_)?XLA_FLAGS$/,
  /^NVIDIA_TF32_OVERRIDE$/,
  /^CUBLAS_WORKSPACE_CONFIG$/,
  /^TF_(DETERMINISTIC_OPS|USE_CUBLASLT|USE_DEEP_CONV2D|CONV2D_USE_FP16_ACCUMULATE|ENABLE_MAXPOOL_NANPROP)$/,
  /^TF_((DISABLE|ENABLE|SET|USE)_)?(AUTO_MIXED_PRECISION|CUBLAS|CUDNN|MKL|ONEDNN)(_[A-Z0-9_]+)?$/,
  /^(DNNL|ONEDNN)_(MAX_CPU_ISA|CPU_ISA_HINTS|DEFAULT_FPMATH_MODE)$/,
];

const isNumeric = (name: string): boolean => names.some((known) => known.test(name));

/** What `processSettings` sets anyway. A flag of this value stays out of fingerprints: it had it before flags were recorded, too. */
const standard: Variables = { TF_ENABLE_ONEDNN_OPTS: '1' };

/** Where XLA keeps what it compiled, and where it writes what it did: of this machine, and without effect on results. */
const isLocal = (flag: string): boolean => /^--(tf_xla_persistent_cache_|xla_dump_)/.test(flag);

const flagsIn = (value: string | undefined): string[] => (value ?? '').split(/\s+/).filter((flag) => flag !== '');

/** The flags that are set to something else than their standard value. A name that is absent says: not set, or standard. */
export function numericFlags(variables: Variables): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of Object.keys(variables).filter(isNumeric).sort()) {
    const value = flagsIn(variables[name])
      .filter((flag) => !isLocal(flag))
      .join(' ');
    if (value !== '' && value !== standard[name]) found[name] = value;
  }
  return found;
}

/**
 * What to change in the environment so that its flags become those of a fingerprint; undefined: to be unset. A value that holds a path
 * belongs to the machine it was set on: a recorded one is not adopted here, one that is set here stays, and the fingerprints differ.
 */
export function flagsToAdopt(
  variables: Variables,
  fingerprint: Readonly<Record<string, string | number | boolean>>,
): Record<string, string | undefined> {
  const present = numericFlags(variables);
  const recorded = Object.fromEntries(
    Object.entries(fingerprint).flatMap(([name, value]) => (isNumeric(name) ? [[name, `${value}`]] : [])),
  );
  const changes: Record<string, string | undefined> = {};
  for (const name of new Set([...Object.keys(present), ...Object.keys(recorded)])) {
    const [now, then] = [present[name], recorded[name]];
    if (now === then || [now, then].some((value) => value?.includes('/'))) continue;
    const local = flagsIn(variables[name]).filter(isLocal);
    changes[name] = [...flagsIn(then ?? standard[name]), ...local].join(' ') || undefined;
  }
  return changes;
}

/** The value of TF_XLA_FLAGS that keeps what XLA compiles in a directory, beside what it says already. */
export const withXlaCache = (directory: string, flags?: string): string =>
  [
    ...flagsIn(flags).filter((flag) => !flag.startsWith('--tf_xla_persistent_cache_')),
    `--tf_xla_persistent_cache_directory=${directory}`,
    '--tf_xla_persistent_cache_read_only=false',
  ].join(' ');
