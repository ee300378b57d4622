// Keeps up with drawing: of the calls that wait, only the newest is made.

/**
 * Wraps a task so that one call runs at a time; of the calls made meanwhile, only the last is kept.
 * So answers never overtake each other, and no older answer replaces a newer one.
 * @param {(...args) => Promise<void>} task
 * @returns {(...args) => Promise<void>} resolves when no call waits
 */
export function newestOnly(task) {
  let waiting = null;
  let running = null;
  async function run() {
    while (waiting) {
      const next = waiting;
      waiting = null;
      await task(...next);
    }
  }
  return (...args) => {
    waiting = args;
    running ??= run().finally(() => (running = null));
    return running;
  };
}
