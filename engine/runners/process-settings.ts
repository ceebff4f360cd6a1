/**
 * Settings that TensorFlow reads once, when it is loaded: whoever starts a process that computes puts them into its
 * environment. Some of them change results.
 */
import { withXlaCache } from './numeric-flags.js';

export interface ProcessSettings {
  /** Threads within one operation. Results may differ between counts: a run keeps its own. */
  readonly threads: number;
  /** Keeps what XLA compiled between processes: machine code, so one directory for each machine and `libraryBuild`. */
  readonly xlaCacheDirectory?: string;
  /**
   * Lines of TensorFlow's log on stderr: everything, warnings and worse, errors, or nothing. Default: nothing, since errors that
   * matter are thrown, and XLA's cache calls every entry that it finds again an error. A few first lines come all the same.
   */
  readonly log?: 'info' | 'warning' | 'error' | 'nothing';
}

const logLevel = { info: '0', warning: '1', error: '2', nothing: '3' } as const;

/** The variables by name, to be merged into the environment of a child process. */
export function processSettings({
  threads,
  xlaCacheDirectory,
  log = 'nothing',
}: ProcessSettings): Record<string, string> {
  return {
    TF_CPP_MIN_LOG_LEVEL: logLevel[log],
    TF_NUM_INTRAOP_THREADS: `${threads}`,
    // How many operations may run side by side: with one thread for them, a machine under load is half as fast.
    TF_NUM_INTEROP_THREADS: `${threads}`,
    // On by default on most machines: said, so that it is the same on all.
    TF_ENABLE_ONEDNN_OPTS: '1',
    // glibc keeps freed memory in an arena for each thread. In one, with large tensors given back at once, a training step peaks 120 MB
    // lower. Smaller ones are kept: asking the kernel for each of them again in each step would cost a twentieth of the time.
    MALLOC_ARENA_MAX: '1',
    MALLOC_MMAP_THRESHOLD_: `${4 * 1024 * 1024}`,
    MALLOC_TRIM_THRESHOLD_: `${8 * 1024 * 1024}`,
    // An index names the same device as in the lists of the driver, not the n-th fastest.
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    ...(xlaCacheDirectory !== undefined && { TF_XLA_FLAGS: withXlaCache(xlaCacheDirectory) }),
  };
}
