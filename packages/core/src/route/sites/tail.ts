/** Words below a country's domain that are open to everybody, as `co` in `co.uk`. */
const OPEN = new Set([
  'ac',
  'asso',
  'co',
  'com',
  'edu',
  'gob',
  'gouv',
  'gov',
  'go',
  'ltd',
  'me',
  'ne',
  'net',
  'nom',
  'or',
  'org',
  'plc',
]);

/** The part of a name that somebody registered: `mx1.example.co.uk` is of `example.co.uk`. A guess, that needs no list. */
export function registeredPart(name: string): string {
  const labels = name.split('.');
  const open = labels.length > 2 && labels.at(-1)?.length === 2 && OPEN.has(labels.at(-2) as string);
  return labels.slice(open ? -3 : -2).join('.');
}
