import { normalizeAddress } from '../address.ts';
import type { RenderedTemplate } from '../compose/port.ts';
import { MailRelayError } from '../errors.ts';
import { STREAMS, type Stream } from '../message.ts';
import type { LaneRecord } from '../queue/port.ts';
import type { CampaignReport, SummaryReport } from '../report/port.ts';
import { isScope, scopesOver } from '../scope.ts';
import type { DeliveryRecord, ListQuery, MessageRecord, Page, Selection, Suppression } from '../store/port.ts';
import type { TemplateBook } from '../submit/templates.ts';
import type { AnyTemplate, DataOf } from '../template.ts';
import type { EngineApi } from '../thread/port.ts';

type Engine = () => Promise<EngineApi>;

/** Which deliveries: a message id, a delivery id, or a campaign. */
export type SelectionInput = string | Selection;

/** Messages that were accepted. */
export interface Messages {
  /** A message with its deliveries and events, by message or delivery id; `undefined` where there is none. */
  get(id: string): Promise<MessageRecord | undefined>;
  /** Deliveries, newest first, 100 a page unless told. */
  list(query?: Partial<ListQuery>): Promise<Page<DeliveryRecord>>;
  /** Cancels what waits. Answers how many deliveries changed. @throws MailRelayError `MESSAGE_NOT_FOUND` */
  cancel(selection: SelectionInput): Promise<number>;
  /** Puts failed, bounced, suppressed or cancelled deliveries back into the queue. */
  retry(selection: SelectionInput): Promise<number>;
  /** Keeps waiting deliveries back until `release()`. */
  hold(selection: SelectionInput, options?: { readonly reason?: string }): Promise<number>;
  release(selection: SelectionInput): Promise<number>;
}

/** Addresses that must not get mail. */
export interface Suppressions {
  /** @param options - `scope`: `all` (default), `transactional`, `broadcast` or `topic:<name>`. */
  add(
    address: string,
    options?: { readonly scope?: string; readonly reason?: Suppression['reason']; readonly evidence?: string },
  ): Promise<void>;
  /** Removes one scope, or all. Answers how many entries went. */
  remove(address: string, options?: { readonly scope?: string }): Promise<number>;
  /** Whether mail of a stream (default: any) and topic to this address is suppressed. */
  has(address: string, options?: { readonly stream?: Stream; readonly topic?: string }): Promise<boolean>;
  list(query?: {
    readonly limit?: number;
    readonly after?: string;
    readonly scope?: string;
  }): Promise<Page<Suppression>>;
}

/** Questions over what happened. */
export interface Reports {
  /** @throws MailRelayError `MESSAGE_NOT_FOUND` where no campaign has the name. */
  campaign(name: string): Promise<CampaignReport>;
  /** Days are UTC. @default from: 30 days ago, to: now */
  summary(query?: { readonly from?: Date; readonly to?: Date; readonly stream?: Stream }): Promise<SummaryReport>;
}

/** Templates without sending. */
export interface Templates {
  /** Renders without tracking. @throws MailRelayError `TEMPLATE_NOT_FOUND`, `TEMPLATE_VARIABLE_MISSING`, `TEMPLATE_DATA_INVALID` */
  render<T extends string | AnyTemplate>(
    template: T,
    data?: DataOf<T>,
    options?: { readonly locale?: string },
  ): Promise<RenderedTemplate>;
}

/** Lanes: the queue of one route and one stream. */
export interface Lanes {
  list(): Promise<readonly LaneRecord[]>;
  /** Nothing leaves by the route (and stream, where one is named) until `resume()`; also for other processes. */
  pause(route: string, options?: { readonly stream?: Stream }): Promise<void>;
  resume(route: string, options?: { readonly stream?: Stream }): Promise<void>;
}

/** `relay.messages` */
export function createMessages(engine: Engine): Messages {
  const apply = (by: 'cancel' | 'hold' | 'release' | 'retry') =>
    async function applyTo(selection: SelectionInput, options: { readonly reason?: string } = {}): Promise<number> {
      return (await engine()).apply(typeof selection === 'string' ? { id: selection } : selection, by, options.reason);
    };
  return {
    get: async (id) => (await engine()).get(id),
    async list(query = {}) {
      const limit = query.limit ?? 100;
      if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
        throw new MailRelayError('OPTIONS_INVALID', { option: 'limit', reason: 'limit must be 1 to 1000' });
      return (await engine()).list({ ...query, limit });
    },
    cancel: apply('cancel'),
    retry: apply('retry'),
    hold: apply('hold'),
    release: apply('release'),
  };
}

/** `relay.suppressions` */
export function createSuppressions(engine: Engine): Suppressions {
  return {
    async add(address, { scope = 'all', reason = 'manual', evidence } = {}) {
      checkScope(scope);
      await (await engine()).addSuppression({ address: normalizeAddress(address), scope, reason, evidence });
    },
    async remove(address, { scope } = {}) {
      if (scope !== undefined) checkScope(scope);
      return (await engine()).removeSuppression(normalizeAddress(address), scope);
    },
    async has(address, { stream, topic } = {}) {
      const scopes = scopesOver(stream === undefined ? STREAMS : [stream], topic);
      return (await (await engine()).findSuppression(normalizeAddress(address), scopes)) !== undefined;
    },
    list: async (query = {}) => (await engine()).listSuppressions({ ...query, limit: query.limit ?? 100 }),
  };
}

function checkScope(scope: string): void {
  if (!isScope(scope)) {
    throw new MailRelayError('OPTIONS_INVALID', {
      option: 'scope',
      reason: 'scope must be all, transactional, broadcast or topic:<name>',
    });
  }
}

/** `relay.reports` */
export function createReports(engine: Engine): Reports {
  return {
    async campaign(name) {
      const report = await (await engine()).campaignReport(name);
      if (report === undefined)
        throw new MailRelayError('MESSAGE_NOT_FOUND', { campaign: name, reason: `no campaign has the name ${name}` });
      return report;
    },
    async summary({ from, to, stream } = {}) {
      const until = (to ?? new Date()).getTime();
      return (await engine()).summaryReport({ from: from?.getTime() ?? until - 30 * 86_400_000, to: until, stream });
    },
  };
}

/** `relay.templates` */
export function createTemplates(engine: Engine, book: TemplateBook): Templates {
  return {
    async render(template, data, { locale } = {}) {
      const own = await book.data(template, data as object | undefined);
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
    async function setPaused(route: string, { stream }: { readonly stream?: Stream } = {}): Promise<void> {
      for (const one of stream === undefined ? STREAMS : [stream])
        await (await engine()).pauseLane({ route, stream: one }, paused);
    };
  return { list: async () => (await engine()).lanes(), pause: set(true), resume: set(false) };
}
