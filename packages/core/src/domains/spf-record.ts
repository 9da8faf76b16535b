/** Edits of the text of an SPF record. */

const isAll = (term: string): boolean => /^[-+~?]?all$/i.test(term);

function termsOf(record: string): string[] {
  return record.split(/ +/).slice(1).filter(Boolean);
}

const recordOf = (terms: readonly string[]): string => ['v=spf1', ...terms].join(' ');

/** More senders, before what ends the evaluation. */
export function withTerms(record: string, terms: readonly string[]): string {
  return recordOf([...terms, ...termsOf(record)]);
}

/** Without some of its terms. */
export function withoutTerms(record: string, terms: ReadonlySet<string>): string {
  return recordOf(termsOf(record).filter((term) => !terms.has(term)));
}

/** With another end. */
export function withAll(record: string, all: string): string {
  return recordOf([...termsOf(record).filter((term) => !isAll(term)), all]);
}

/** One record out of several. Where these end differently it ends softly; what a redirect leads to is included. */
export function merged(records: readonly string[]): string {
  const terms = records.flatMap(termsOf);
  const ends = new Set(terms.filter(isAll));
  const [end = '~all'] = ends;
  const senders = terms
    .filter((term) => !isAll(term))
    .map((term) => term.replace(/^redirect=/i, 'include:'))
    .filter((term) => !/^[a-z][\w.-]*=/i.test(term));
  return recordOf([...new Set(senders), ends.size > 1 ? '~all' : end]);
}

/** Whether it lets anybody send. */
export function allowsAny(record: string): boolean {
  return termsOf(record).some((term) => !isAll(term) && /^(?:\+?[a-z0-9]+(?:[:/]|$)|redirect=)/i.test(term));
}
