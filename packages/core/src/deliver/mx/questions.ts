/** Questions whose answers may come in at once: more overflow the usual receive buffer of a socket, and are asked again only seconds later. */
const AT_ONCE = 100;
/** A question that was not answered for so long counts no more, ms: names that nobody answers for must not hold up the others. */
const COUNTED_MS = 500;

/** Asks when it is its turn. */
export type InTurn = <T>(ask: () => Promise<T>) => Promise<T>;

/** Lets questions to the DNS take turns. There may be one for each recipient's domain, so that they share a timer. */
export function createQuestions(): InTurn {
  /** Questions that count, in the order in which they were asked. */
  const counted = new Set<{ readonly askedAt: number }>();
  // Who waits, last first, and behind them who came since: each is moved once.
  let next: (() => void)[] = [];
  let behind: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;

  function begin<T>(ask: () => Promise<T>): Promise<T> {
    const question = { askedAt: performance.now() };
    counted.add(question);
    if (timer === undefined) timer = setTimeout(countNoMore, COUNTED_MS).unref();
    const answer = (async () => ask())();
    const done = (): void => {
      if (counted.delete(question)) beginNext();
    };
    answer.then(done, done);
    return answer;
  }

  function beginNext(): void {
    while (counted.size < AT_ONCE) {
      if (next.length === 0) [next, behind] = [behind.reverse(), next];
      const ask = next.pop();
      if (ask === undefined) return;
      ask();
    }
  }

  function countNoMore(): void {
    timer = undefined;
    const now = performance.now();
    for (const question of counted) {
      const left = question.askedAt + COUNTED_MS - now;
      if (left > 0) {
        timer = setTimeout(countNoMore, Math.ceil(left)).unref();
        break;
      }
      counted.delete(question);
    }
    beginNext();
  }

  return (ask) => {
    if (counted.size < AT_ONCE) return begin(ask);
    return new Promise((resolve) => behind.push(() => resolve(begin(ask))));
  };
}
