import { normalizeAddress } from '../address.ts';
import type { Clock } from '../clock.ts';
import type { RenderedTemplate } from '../compose/port.ts';
import { MailRelayError } from '../errors.ts';
import type { FeedbackReport } from '../feedback/port.ts';
import { STREAMS } from '../message.ts';
import type { LaneView } from '../queue/port.ts';
import type {
  Breakdown,
  CampaignReport,
  DeferralReport,
  Explanation,
  ReportDimension,
  SummaryReport,
} from '../report/port.ts';
import { scopesOver } from '../scope.ts';
import type { DeliveryRecord, MessageRecord, Page, Selection, Suppression } from '../store/port.ts';
import type { TemplateBook } from '../submit/templates.ts';
import type { AnyTemplate, DataOf, TemplateName } from '../template.ts';
import type { EngineApi, RouteCheck } from '../thread/port.ts';
import type { VerifyOptions } from '../verify-options.ts';
import { createSuppressionLists, type SuppressionLists } from './lists/suppression-list.ts';
import {
  type Covered,
  checked,
  type DeferralQuery,
  type DeliveryQuery,
  type EntryOptions,
  type HoldOptions,
  type LaneListQuery,
  type LaneOptions,
  type RenderOptions,
  type ReportQuery,
  type SummaryQuery,
  type SuppressionQuery,
} from './queries.ts';

type Engine = () => Promise<EngineApi>;

/** Which deliveries: a message id, a delivery id, or a campaign. */
export type SelectionInput = string | Selection;

/** Messages that were accepted. */
export interface Messages {
  /** A message with its deliveries and events, by message or delivery id; `undefined` where there is none. */
  get(id: string): Promise<MessageRecord | undefined>;
  /**
   * Why a delivery waits, or what became of it: in words and as data, with what was said in each attempt. Of a message, the
   * delivery that is due first. Routes are seen as this process sees them.
   *
   * @throws MailRelayError `MESSAGE_NOT_FOUND`
   * @example
   * const { summary, nextAt } = await relay.messages.explain(deliveryId);
   */
  explain(id: string): Promise<Explanation>;
  /** Deliveries, newest first, 100 a page unless told. */
  list(query?: DeliveryQuery): Promise<Page<DeliveryRecord>>;
  /** Cancels what waits. Answers how many deliveries changed. @throws MailRelayError `MESSAGE_NOT_FOUND` */
  cancel(selection: SelectionInput): Promise<number>;
  /** Puts failed, bounced, suppressed or cancelled deliveries back into the queue. */
  retry(selection: SelectionInput): Promise<number>;
  /** Keeps waiting deliveries back until `release()`. */
  hold(selection: SelectionInput, options?: HoldOptions): Promise<number>;
  release(selection: SelectionInput): Promise<number>;
  /**
   * Records a bounce or complaint that came back after the mail was sent, and that the application learnt of, as from its
   * provider. Answers whether it moved the delivery: what comes late or again does not. @throws MailRelayError `MESSAGE_NOT_FOUND`
   *
   * @example
   * await relay.messages.feedback(deliveryId, { type: 'bounced', reply: '550 5.1.1 User unknown' });
   */
  feedback(deliveryId: string, report: FeedbackReport): Promise<boolean>;
}

/** Addresses that must not get mail. */
export interface Suppressions extends SuppressionLists {
  /** @param options - `scope`: `all` (default), `transactional`, `broadcast` or `topic:<name>`; `until`: when it ends, never unless told. */
  add(address: string, options?: EntryOptions): Promise<void>;
  /** Removes one scope, or all. Answers how many entries went. */
  remove(address: string, options?: { readonly scope?: string | undefined }): Promise<number>;
  /**
   * Ends one scope, or all, and keeps the entries with a note, which `list()` shows. A further bounce or complaint suppresses
   * anew. Answers how many entries were lifted.
   */
  lift(
    address: string,
    options?: { readonly scope?: string | undefined; readonly note?: string | undefined },
  ): Promise<number>;
  /** Whether mail of a stream (default: any) and topic to this address is suppressed. */
  has(address: string, options?: Covered): Promise<boolean>;
  list(query?: SuppressionQuery): Promise<Page<Suppression>>;
}

/** Questions over what happened. */
export interface Reports {
  /** @throws MailRelayError `MESSAGE_NOT_FOUND` where no campaign has the name. */
  campaign(name: string): Promise<CampaignReport>;
  /** Days are UTC. @default from: 30 days ago, to: now */
  summary(query?: SummaryQuery): Promise<SummaryReport>;
  /**
   * What became of mail, by day, stream or campaign, or by what it had on its way: the recipient's domain, the site (who
   * hosts its mail), the route, the provider of the route.
   *
   * @throws MailRelayError `OPTIONS_INVALID`; `MESSAGE_NOT_FOUND` where no campaign has the name that is asked for
   * @example
   * const { rows } = await relay.reports.by('domain', { stream: 'broadcast', order: 'bounce', minVolume: 100, limit: 10 });
   */
  by(dimension: ReportDimension, query?: ReportQuery): Promise<Breakdown>;
  /** How long mail that was deferred waited until it left or came to nothing, by the day on which that was. */
  deferrals(query?: DeferralQuery): Promise<DeferralReport>;
}

/** Data, which may be left out where nothing in them is required, and options. */
type RenderArguments<Data> =
  Record<never, never> extends Data
    ? [data?: Data | undefined, options?: RenderOptions | undefined]
    : [data: Data, options?: RenderOptions | undefined];

/** Templates without sending. */
export interface Templates {
  /** Renders without tracking. @throws MailRelayError `TEMPLATE_NOT_FOUND`, `TEMPLATE_VARIABLE_MISSING`, `TEMPLATE_DATA_INVALID` */
  render<const T extends TemplateName | AnyTemplate>(
    template: T,
    ...rest: RenderArguments<DataOf<T>>
  ): Promise<RenderedTemplate>;
}

/** Lanes: the queue of one route and one stream, and of one site where the route is held to limits by site. */
export interface Lanes {
  /**
   * Lanes with what limits them and how fast they go, those with the most mail first, 100 unless told; of sites those that have
   * mail, are paused, or that a rule acts on. Mail goes on meanwhile, so that a lane may come up on two pages, or on none.
   *
   * @throws MailRelayError `OPTIONS_INVALID`
   * @example
   * const [busiest] = await relay.lanes.list({ route: 'mx', limit: 1 });
   */
  list(query?: LaneListQuery): Promise<readonly LaneView[]>;
  /** Nothing leaves by the route (and stream, where one is named) until `resume()`; also for other processes. */
  pause(route: string, options?: LaneOptions): Promise<void>;
  /** Takes back a `pause()` of the same lanes: a site that is paused alone stays so when its route goes on. */
  resume(route: string, options?: LaneOptions): Promise<void>;
}

/** Ways out. */
export interface Routes {
  /**
   * Connects to all routes, or one, logs in and leaves, without a mail. `directMx()` connects to the mail servers of `domain`
   * alone, and nowhere without one.
   *
   * @throws MailRelayError `OPTIONS_INVALID`, `OPTION_UNSUPPORTED`
   */
  verify(name?: string, options?: VerifyOptions): Promise<readonly RouteCheck[]>;
}

/** `relay.routes` */
export function createRoutes(engine: Engine): Routes {
  return {
    async verify(name, options = {}) {
      if (name !== undefined) checked.route(name);
      return (await engine()).verifyRoutes(name, checked.verifying(options));
    },
  };
}

/** `relay.messages` */
export function createMessages(engine: Engine): Messages {
  const apply = (by: 'cancel' | 'release' | 'retry') =>
    // The second argument is for those who do not see the types, and think of an option.
    async function applyTo(selection: SelectionInput, options: object = {}): Promise<number> {
      checked.noOptions(options, `${by}()`);
      const which = checked.selection(selection);
      return (await engine()).apply(which, by, undefined);
    };
  return {
    async get(id) {
      checked.id(id);
      return (await engine()).get(id);
    },
    async explain(id) {
      checked.id(id);
      const explanation = await (await engine()).explain(id);
      if (explanation === undefined)
        throw new MailRelayError('MESSAGE_NOT_FOUND', { id, reason: `no message or delivery has the id ${id}` });
      return explanation;
    },
    async list(query) {
      const wanted = checked.list(query);
      return (await engine()).list(wanted);
    },
    cancel: apply('cancel'),
    retry: apply('retry'),
    async hold(selection, options = {}) {
      const { reason } = checked.hold(options);
      const which = checked.selection(selection);
      return (await engine()).apply(which, 'hold', reason);
    },
    release: apply('release'),
    async feedback(deliveryId, report) {
      checked.id(deliveryId);
      const said = checked.feedback(report);
      return (await engine()).feedback(deliveryId, said);
    },
  };
}

/** `relay.suppressions` */
export function createSuppressions(engine: Engine, clock: Pick<Clock, 'now'>): Suppressions {
  return {
    ...createSuppressionLists(engine, clock.now),
    async add(address, options = {}) {
      const { scope = 'all', reason = 'manual', evidence, until } = checked.entry(options);
      const entry = { address: normalizeAddress(address), scope, reason, evidence };
      await (await engine()).addSuppression(until === undefined ? entry : { ...entry, until });
    },
    async lift(address, options = {}) {
      const { scope, note } = checked.lifting(options);
      return (await engine()).liftSuppression(normalizeAddress(address), scope, note);
    },
    async remove(address, options = {}) {
      const scope = checked.scope(options);
      return (await engine()).removeSuppression(normalizeAddress(address), scope);
    },
    async has(address, options = {}) {
      const { stream, topic } = checked.covered(options);
      const scopes = scopesOver(stream === undefined ? STREAMS : [stream], topic);
      return (await (await engine()).findSuppression(normalizeAddress(address), scopes)) !== undefined;
    },
    async list(query) {
      const wanted = checked.suppressions(query);
      return (await engine()).listSuppressions(wanted);
    },
  };
}

/** `relay.reports` */
export function createReports(engine: Engine, clock: Pick<Clock, 'now'>): Reports {
  return {
    async campaign(name) {
      checked.name(name);
      const report = await (await engine()).campaignReport(name);
      if (report === undefined)
        throw new MailRelayError('MESSAGE_NOT_FOUND', { campaign: name, reason: `no campaign has the name ${name}` });
      return report;
    },
    async summary(query = {}) {
      const wanted = checked.summary(query, clock.now());
      return (await engine()).summaryReport(wanted);
    },
    async by(dimension, query = {}) {
      const by = checked.dimension(dimension);
      const wanted = checked.breakdown(by, query, clock.now());
      const report = await (await engine()).breakdown(by, wanted);
      const { campaign } = wanted;
      if (report === undefined)
        throw new MailRelayError('MESSAGE_NOT_FOUND', { campaign, reason: `no campaign has the name ${campaign}` });
      return report;
    },
    async deferrals(query = {}) {
      const wanted = checked.deferrals(query, clock.now());
      return (await engine()).deferralReport(wanted);
    },
  };
}

/** `relay.templates` */
export function createTemplates(engine: Engine, book: TemplateBook): Templates {
  return {
    async render(template, ...[data, options = {}]) {
      checked.template(template);
      const { locale } = checked.render(options);
      const own = await book.data(template, checked.data(data));
      const parts = await book.render(template, own, { locale });
      if (parts !== undefined)
        return { subject: parts.subject, preheader: undefined, html: parts.html, text: parts.text ?? '' };
      return (await engine()).render(typeof template === 'string' ? template : template.name, own ?? {}, { locale });
    },
  };
}

/** `relay.lanes` */
export function createLanes(engine: Engine): Lanes {
  const set = (paused: boolean) =>
    async function setPaused(route: string, options: LaneOptions = {}): Promise<void> {
      checked.route(route);
      const { stream, site } = checked.lanes(options);
      for (const one of stream === undefined ? STREAMS : [stream])
        await (await engine()).pauseLane({ route, stream: one, site }, paused);
    };
  return {
    list: async (query = {}) => (await engine()).lanes(checked.laneList(query)),
    pause: set(true),
    resume: set(false),
  };
}
