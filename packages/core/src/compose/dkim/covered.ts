/** Which header fields a signature covers (RFC 6376 section 5.4). */

/**
 * Named once more than they are there, so that nobody can add another one and have it shown under a good signature (section
 * 8.15). No relay has a reason to add them.
 */
const SEALED = [
  'From',
  'To',
  'Cc',
  'Subject',
  'Date',
  'Message-ID',
  'Reply-To',
  'MIME-Version',
  'Content-Type',
  'Content-Transfer-Encoding',
] as const;

/** Covered where they are there; the next hop may add them where they are not. */
const COVERED = [
  'Sender',
  'In-Reply-To',
  'References',
  'Content-ID',
  'Content-Description',
  'Content-Disposition',
  'Auto-Submitted',
  'Precedence',
  'Feedback-ID',
  'CFBL-Address',
  'CFBL-Feedback-ID',
  'List-ID',
  'List-Help',
  'List-Subscribe',
  'List-Post',
  'List-Owner',
  'List-Archive',
] as const;

/** What one click on them does is the recipient's: covered where they are there, and then nobody can add another (RFC 8058 section 4). */
const SEALED_IF_THERE = ['List-Unsubscribe', 'List-Unsubscribe-Post'] as const;

/** What is signed. */
export interface Coverage {
  /** Values of `h=`, in order. */
  readonly names: readonly string[];
  /** The fields with these names, in the same order; those of one name from the bottom up (section 5.4.2). */
  readonly fields: readonly string[];
}

/** Splits a header section into its fields, folded as they are. */
export function fieldsOf(head: string): string[] {
  return head.split(/\r\n(?![ \t])/).filter((field) => field !== '');
}

/** Makes the choice for mails. @param without - names in lower case that are left out */
export function createCoverage(without: readonly string[]): (fields: readonly string[]) => Coverage {
  const kept = (names: readonly string[]): string[] => names.filter((name) => !without.includes(name.toLowerCase()));
  const sealed = kept(SEALED);
  const ifThere = kept(SEALED_IF_THERE);
  const order = [...sealed, ...kept(COVERED), ...ifThere].map((name) => [name, name.toLowerCase()] as const);
  return (fields) => {
    const byName = new Map<string, string[]>();
    for (const field of fields) {
      const name = field.slice(0, field.indexOf(':')).trimEnd().toLowerCase();
      const list = byName.get(name);
      if (list === undefined) byName.set(name, [field]);
      else list.unshift(field);
    }
    const names: string[] = [];
    const covered: string[] = [];
    for (const [name, key] of order) {
      const there = byName.get(key) ?? [];
      covered.push(...there);
      names.push(...there.map(() => name));
      if (sealed.includes(name) || (there.length > 0 && ifThere.includes(name))) names.push(name);
    }
    return { names, fields: covered };
  };
}
