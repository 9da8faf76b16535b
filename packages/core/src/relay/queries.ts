import type { FeedbackReport } from '../feedback/port.ts';
import { DELIVERY_STATES, STREAMS, type Stream } from '../message.ts';
import { check, date, group, oneOf, type Rule, refuse, rule, text, whole } from '../rules.ts';
import { isScope } from '../scope.ts';
import type { ListQuery, Selection, Suppression } from '../store/port.ts';

const stream = oneOf(STREAMS);
const limit = whole(1, 1000);
const scope = rule(isScope, 'must be all, transactional, broadcast or topic:<name>');

const LIST = group<ListQuery>({
  message: text,
  campaign: text,
  recipient: text,
  state: oneOf(DELIVERY_STATES),
  stream,
  from: date,
  to: date,
  limit,
  after: text,
});
const SUPPRESSIONS = group<SuppressionQuery>({ limit, after: text, scope });
const ENTRY = group<EntryOptions>({
  scope,
  reason: oneOf(['bounced', 'complained', 'unsubscribed', 'manual'] satisfies Suppression['reason'][]),
  evidence: text,
  until: date,
});
const LIFTING = group<{ scope: string; note: string }>({ scope, note: text });
const FEEDBACK = group<{ type: string; reply: string; evidence: string }>(
  { type: oneOf(['bounced', 'complained']), reply: text, evidence: text },
  { needed: ['type'] },
);
const SUMMARY = group<SummaryQuery>({ from: date, to: date, stream });
const COVERED = group<Covered>({ stream, topic: text });

/** Which deliveries. */
export type DeliveryQuery = { readonly [Name in keyof ListQuery]?: ListQuery[Name] | undefined };

/** Which suppressions. */
export interface SuppressionQuery {
  readonly limit?: number | undefined;
  readonly after?: string | undefined;
  readonly scope?: string | undefined;
}

/** What a suppression is made with. */
export interface EntryOptions {
  readonly scope?: string | undefined;
  readonly reason?: Suppression['reason'] | undefined;
  readonly evidence?: string | undefined;
  readonly until?: Date | undefined;
}

/** Which days. */
export interface SummaryQuery {
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  readonly stream?: Stream | undefined;
}

/** Which mail. */
export interface Covered {
  readonly stream?: Stream | undefined;
  readonly topic?: string | undefined;
}

/** What the host asks for, once it is known to be right. @throws MailRelayError `OPTIONS_INVALID`, `OPTION_UNSUPPORTED` */
export const checked = {
  id: (value: string): string => through(text, value, 'id'),
  name: (value: string): string => through(text, value, 'name'),
  route: (value: string): string => through(text, value, 'route'),
  reason: (value: string | undefined): string | undefined => value && through(text, value, 'reason'),
  list: (query: DeliveryQuery = {}): ListQuery => ({
    ...through<DeliveryQuery>(LIST, query, 'list()'),
    limit: query.limit ?? 100,
  }),
  suppressions: (query: SuppressionQuery = {}): SuppressionQuery & { readonly limit: number } => ({
    ...through(SUPPRESSIONS, query, 'list()'),
    limit: query.limit ?? 100,
  }),
  entry: (options: EntryOptions): EntryOptions => through(ENTRY, options, 'add()'),
  lifting: (options: { readonly scope?: string | undefined; readonly note?: string | undefined }) =>
    through(LIFTING, options, 'lift()') as { readonly scope?: string; readonly note?: string },
  scope: (options: { readonly scope?: string | undefined }): string | undefined =>
    through(group<{ scope: string }>({ scope }), options, 'remove()').scope,
  covered: (options: Covered): Covered => through(COVERED, options, 'has()'),
  feedback: (report: FeedbackReport): FeedbackReport => feedbackOf(report),
  summary: (query: SummaryQuery): SummaryQuery => through(SUMMARY, query, 'summary()'),
  stream: (options: { readonly stream?: Stream | undefined }): Stream | undefined =>
    through(group<{ stream: Stream }>({ stream }), options, 'lanes').stream,
  selection: (given: string | Selection): Selection => selectionOf(given),
} as const;

function through<T>(rule: Rule, value: T, place: string): T {
  check(rule, value, place);
  return value;
}

function feedbackOf(report: FeedbackReport): FeedbackReport {
  check(FEEDBACK, report, 'feedback()');
  if (report.type === 'bounced') {
    check(text, report.reply, 'feedback().reply');
    if (!/^[45]\d\d(?:[ -]|$)/.test(report.reply))
      refuse('feedback().reply', 'must begin with 4xx or 5xx, as replies do');
  }
  return report;
}

function selectionOf(given: string | Selection): Selection {
  if (typeof given === 'string') return { id: given };
  check(group<{ id: string; campaign: string }>({ id: text, campaign: text }), given, 'selection');
  if (Object.keys(given).length !== 1) refuse('selection', 'must be an id, `{ id }` or `{ campaign }`');
  return given;
}
