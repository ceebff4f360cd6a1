/** Whoever is logged in here. A user without a name, as in a container, is told by number. */
import { userInfo } from 'node:os';

export function whoAmI(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? '?'}`;
  }
}
