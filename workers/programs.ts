/** `nightstill/workers`: where the programs that activities start as child processes lie. */
import { fileURLToPath } from 'node:url';

/** Absolute path of the program that imports datasets: what a `DistillationPlugin` of role `io` is given. */
export const importChild = fileURLToPath(new URL('./import-child.js', import.meta.url));
