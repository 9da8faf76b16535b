const EVERY_MS = 60_000;
const REMEMBERED = 100;

/** Says the same at most once a minute: anybody can send what is refused, and must not fill the log. */
export function seldom<T extends object>(say: (fields: T) => void, now: () => number): (fields: T) => void {
  const said = new Map<string, number>();
  return (fields) => {
    const key = JSON.stringify(fields);
    const last = said.get(key);
    if (last !== undefined && now() - last < EVERY_MS) return;
    if (said.size >= REMEMBERED) said.clear();
    said.set(key, now());
    say(fields);
  };
}
