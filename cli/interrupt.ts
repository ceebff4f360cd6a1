/** Ctrl-C, and being asked to end: one handler at a time, the newest. */
let current: (() => void) | undefined;

/** Calls this instead of whatever was to be called before. */
export function onInterrupt(handler: () => void): void {
  if (current === undefined)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => current?.());
  current = handler;
}
