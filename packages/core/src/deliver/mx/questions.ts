import PQueue from 'p-queue';

/** Questions whose answers may come in at once: more overflow the usual receive buffer of a socket, and are asked again only seconds later. */
const AT_ONCE = 100;
/** A question that was not answered for so long counts no more, ms: names that nobody answers for must not hold up the others. */
const COUNTED_MS = 500;

/** Asks when it is its turn. */
export type InTurn = <T>(ask: () => Promise<T>) => Promise<T>;

/** Lets questions to the DNS take turns. */
export function createQuestions(): InTurn {
  const turns = new PQueue({ concurrency: AT_ONCE });
  return (ask) =>
    new Promise((resolve, reject) => {
      const turn = (): Promise<void> =>
        new Promise((counts) => {
          const timer = setTimeout(counts, COUNTED_MS).unref();
          const done = (): void => {
            clearTimeout(timer);
            counts();
          };
          const answer = (async () => ask())();
          answer.then(resolve, reject);
          answer.then(done, done);
        });
      void turns.add(turn);
    });
}
