import { parseDomain } from '../address.ts';
import type { FeedbackReport } from '../feedback/port.ts';
import { DELIVERY_STATES, decodeId, STREAMS, type Stream } from '../message.ts';
import type { LaneQuery } from '../queue/port.ts';
import { type BreakdownQuery, DIMENSIONS, ORDERS, type ReportDimension, type ReportOrder } from '../report/port.ts';
import {
  check,
  date,
  either,
  group,
  isObject,
  object,
  oneOf,
  type Rule,
  refuse,
  rule,
  text,
  textUpTo,
  whole,
} from '../rules.ts';
import { isScope } from '../scope.ts';
import { type ListQuery, type Selection, type Suppression, WAY_DIMENSIONS, type WayQuery } from '../store/port.ts';
import { TEMPLATE } from '../submit/templates.ts';
import { isLocale } from '../submit/values.ts';
import type { AnyTemplate } from '../template.ts';
import type { VerifyOptions } from '../verify-options.ts';

const stream = oneOf(STREAMS);
const limit = whole(1, 1000);
const scope = rule(isScope, 'must be all, transactional, broadcast or topic:<name>');
/** Words that are kept, and that no code reads. */
const remark = textUpTo(1000);

/** An end of the list that is none would look like one. */
function cursor(isOne: (after: string) => boolean): Rule {
  return rule((after) => typeof after === 'string' && isOne(after), 'must be the `next` of the page before');
}

const LIST = group<ListQuery>({
  message: text,
  campaign: text,
  recipient: text,
  state: oneOf(DELIVERY_STATES),
  stream,
  from: date,
  to: date,
  limit,
  after: cursor((after) => decodeId('dlv', after) !== undefined),
});
const SUPPRESSIONS = group<SuppressionQuery>({
  limit,
  after: cursor((after) => /^(?:[^ %]|%[\dA-F]{2})+ ./.test(after)),
  scope,
});
const ENTRY = group<EntryOptions>({
  scope,
  reason: oneOf(['bounced', 'complained', 'unsubscribed', 'manual'] satisfies Suppression['reason'][]),
  evidence: remark,
  until: date,
});
const LIFTING = group<{ scope: string; note: string }>({ scope, note: remark });
const FEEDBACK = group<{ type: string; reply: string; evidence: string }>(
  { type: oneOf(['bounced', 'complained']), reply: text, evidence: remark },
  { needed: ['type'] },
);
const SUMMARY = group<SummaryQuery>({ from: date, to: date, stream });
const WAY = { from: date, to: date, stream, domain: text, site: text, route: text, provider: text } as const;
const DEFERRALS = group<DeferralQuery>(WAY);
const BREAKDOWN = group<ReportQuery>({
  ...WAY,
  campaign: textUpTo(200),
  order: oneOf(ORDERS),
  minVolume: whole(0),
  limit,
});
const DIMENSION = oneOf(DIMENSIONS);
const VERIFYING = group<VerifyOptions>({
  domain: rule(
    (value) => typeof value === 'string' && parseDomain(value.trim()) !== undefined,
    'must be a domain such as example.com',
  ),
});
const HOLD = group<HoldOptions>({ reason: remark });
const NO_OPTIONS = group({});
const RENDER = group<RenderOptions>({ locale: rule(isLocale, 'must be a language tag such as fr or fr-CA') });
const COVERED = group<Covered>({ stream, topic: text });

const DAY_MS = 86_400_000;

/** Which deliveries. */
export type DeliveryQuery = { readonly [Name in keyof ListQuery]?: ListQuery[Name] | undefined };

/** Which suppressions. */
export interface SuppressionQuery {
  readonly limit?: number | undefined;
  readonly after?: string | undefined;
  readonly scope?: string | undefined;
}

/** Which lanes are listed. */
export interface LaneListQuery extends LaneOptions {
  readonly route?: string | undefined;
  /** 1 to 1000. @default 100 */
  readonly limit?: number | undefined;
  /** Lanes that are left out, the busiest first. @default 0 */
  readonly offset?: number | undefined;
}

/** Which lanes of a route. */
export interface LaneOptions {
  /** @default both */
  readonly stream?: Stream | undefined;
  /** A site by its name in `list()`, such as `google`, on routes that are held to limits by site. @default all sites */
  readonly site?: string | undefined;
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

/** Which mail: on which days (UTC), of which stream, and what it had on its way. */
export interface DeferralQuery {
  /** @default 30 days before `to` */
  readonly from?: Date | undefined;
  /** Exclusive; the whole day that it lies in counts. @default now */
  readonly to?: Date | undefined;
  readonly stream?: Stream | undefined;
  /** Domain of the recipient, in lower case. */
  readonly domain?: string | undefined;
  readonly site?: string | undefined;
  readonly route?: string | undefined;
  readonly provider?: string | undefined;
}

/** Which rows of a report. */
export interface ReportQuery extends DeferralQuery {
  /** Only by `day`, and without other filters: campaigns are not counted by way. */
  readonly campaign?: string | undefined;
  /** By name, or by how much was tried, or by a rate, the most first. @default name for `day` and `stream`, else tried */
  readonly order?: ReportOrder | undefined;
  /** Leaves out rows with fewer mails tried: of one mail that bounced the rate is 100 %. @default 0 */
  readonly minVolume?: number | undefined;
  /** 1 to 1000. @default 100 */
  readonly limit?: number | undefined;
}

/** Why deliveries are held. */
export interface HoldOptions {
  /** At most 1,000 characters. @default none */
  readonly reason?: string | undefined;
}

/** How a template is rendered. */
export interface RenderOptions {
  /** Language, such as `fr` or `fr-CA`. @default the variant without a language */
  readonly locale?: string | undefined;
}

/** Which mail. */
export interface Covered {
  readonly stream?: Stream | undefined;
  readonly topic?: string | undefined;
}

/** What the host asks for, once it is known to be right. @throws MailRelayError `OPTIONS_INVALID`, `OPTION_UNSUPPORTED` */
export const checked = {
  id: (value: string): string => through(text, value, 'id'),
  name: (value: string): string => through(textUpTo(200), value, 'name'),
  route: (value: string): string => through(text, value, 'route'),
  verifying: (options: VerifyOptions): VerifyOptions => {
    const { domain } = through(VERIFYING, options, 'verify()');
    return domain === undefined ? {} : { domain: parseDomain(domain.trim()) };
  },
  hold: (options: HoldOptions): HoldOptions => through(HOLD, options, 'hold()'),
  noOptions: (options: object, call: string): object => through(NO_OPTIONS, options, call),
  list: (query: DeliveryQuery = {}): ListQuery => ({
    ...inOrder(through<DeliveryQuery>(LIST, query, 'list()'), 'list()'),
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
  /** The days of a summary, ms since the epoch. */
  summary: (query: SummaryQuery, now: number): { from: number; to: number; stream: Stream | undefined } => {
    const { stream } = through(SUMMARY, query, 'summary()');
    return { ...daysOf(query, now, 'summary()'), stream };
  },
  deferrals: (query: DeferralQuery, now: number): WayQuery => ({
    ...through(DEFERRALS, query, 'deferrals()'),
    ...daysOf(query, now, 'deferrals()'),
  }),
  dimension: (by: ReportDimension): ReportDimension => through(DIMENSION, by, 'by()'),
  breakdown: (by: ReportDimension, query: ReportQuery, now: number): BreakdownQuery => {
    const {
      order = by === 'day' || by === 'stream' ? 'name' : 'tried',
      minVolume = 0,
      limit = 100,
      ...filters
    } = query;
    through(BREAKDOWN, query, 'by()');
    checkCampaign(by, filters);
    return { ...filters, ...daysOf(query, now, 'by()'), order, minVolume, limit };
  },
  template: (given: string | AnyTemplate): string | AnyTemplate =>
    through(either(isObject, TEMPLATE, text), given, 'template'),
  data: (given: unknown): object | undefined =>
    given === undefined ? undefined : (through(object, given, 'data') as object),
  render: (options: RenderOptions): RenderOptions => through(RENDER, options, 'render()'),
  lanes: (options: LaneOptions): LaneOptions =>
    through(group<LaneOptions>({ stream, site: textUpTo(255) }), options, 'lanes'),
  laneList: (query: LaneListQuery): LaneQuery => {
    through(
      group<LaneListQuery>({ route: text, stream, site: textUpTo(255), limit, offset: whole(0) }),
      query,
      'list()',
    );
    return { ...query, limit: query.limit ?? 100, offset: query.offset ?? 0 };
  },
  selection: (given: string | Selection): Selection => selectionOf(given),
} as const;

function through<T>(rule: Rule, value: T, place: string): T {
  check(rule, value, place);
  return value;
}

/** The days of a report, ms since the epoch. */
function daysOf(
  query: { readonly from?: Date | undefined; readonly to?: Date | undefined },
  now: number,
  call: string,
): { from: number; to: number } {
  const { from, to = new Date(now) } = query;
  inOrder({ from, to }, call);
  return { from: from?.getTime() ?? to.getTime() - 30 * DAY_MS, to: to.getTime() };
}

/** A campaign's mail is counted by day only. */
function checkCampaign(by: ReportDimension, filters: Omit<ReportQuery, 'order' | 'minVolume' | 'limit'>): void {
  if (filters.campaign !== undefined && by !== 'day')
    refuse('by().campaign', 'needs `day`: campaigns are not counted by way');
  const wrong = ([...WAY_DIMENSIONS, 'stream'] as const).find((name) => filters[name] !== undefined);
  if (wrong !== undefined && (by === 'campaign' || filters.campaign !== undefined))
    refuse(`by().${wrong}`, 'cannot stand with a campaign: campaigns are not counted by way');
}

/** Times the other way round would find nothing, and say so by an empty answer. */
function inOrder<T extends { readonly from?: Date | undefined; readonly to?: Date | undefined }>(
  range: T,
  call: string,
): T {
  const { from, to } = range;
  if (from !== undefined && to !== undefined && from > to) refuse(`${call}.from`, 'must not be after `to`');
  return range;
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
