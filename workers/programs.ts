/** Where the programs that activities start as child processes lie. */
import { fileURLToPath } from 'node:url';

export const importChild = fileURLToPath(new URL('./import-child.js', import.meta.url));
