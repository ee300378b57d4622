// Keeps up with a hand that draws: of what waits for an answer, only the newest is asked.

/**
 * Wrap a task so that one runs at a time, and of the calls that come meanwhile only the last one
 * counts. Answers therefore never overtake each other, and none is shown over a newer one.
 * @param {(...args) => Promise<void>} task
 * @returns {(...args) => Promise<void>} done when nothing waits any more
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
