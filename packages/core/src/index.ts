/** The public surface of the mail relay. */
export type { AddressInput, Mailbox } from './address.ts';
export type { AlertOptions, RateAlertOptions, WarningOptions } from './alert-options.ts';
export type { Alert, AlertKind, Warning } from './alerts.ts';
export type { Clock } from './clock.ts';
export type { RenderedTemplate } from './compose/port.ts';
export { directMx } from './deliver/mx/route.ts';
export type {
  Attempt,
  DirectMxOptions,
  Outcome,
  OutgoingMail,
  RouteSpec,
  SmtpOptions,
  Transport,
} from './deliver/port.ts';
export type {
  BrevoOptions,
  MailgunOptions,
  SarbacaneOptions,
  SendgridOptions,
  SesOptions,
} from './deliver/providers/options.ts';
export { brevo, mailgun, sarbacane, sendgrid, ses } from './deliver/providers/presets.ts';
export { capture, smtp } from './deliver/routes.ts';
export type { DkimKeyOptions, DkimOptions } from './dkim-options.ts';
export type { CheckDomainOptions } from './domains/check.ts';
export type { CreateKeyOptions } from './domains/create-key.ts';
export type {
  CreatedKey,
  DnsRecord,
  DomainFinding,
  DomainReport,
  DomainResolver,
  DomainTopic,
  PolicyFile,
  TextRecord,
} from './domains/port.ts';
export { ERRORS, type ErrorCode, isMailRelayError, MailRelayError } from './errors.ts';
export type {
  Agent,
  AgentKind,
  EventOf,
  EventType,
  Fault,
  FeedbackFacts,
  FoundBy,
  MessageEvent,
  NoticeEvent,
  ReasonClass,
  RelayEvents,
  SubscribedEvent,
  SubscribedEventOf,
  SubscribedType,
  Transcript,
  TranscriptStep,
} from './events.ts';
export type {
  FeedbackEvent,
  FeedbackReport,
  FeedbackType,
  HookRequest,
  HookTools,
  HookVerdict,
  MailReport,
  ReadTools,
  WebhookProvider,
} from './feedback/port.ts';
export { type Meaning, meaningOf, type Refusal } from './feedback/providers/meaning.ts';
export type {
  MailgunWebhookOptions,
  ReplayWindowOptions,
  ResendWebhookOptions,
  SecretPathOptions,
  SendgridWebhookOptions,
  SesWebhookOptions,
  SharedSecretOptions,
  WebhookOptions,
} from './feedback/providers/options.ts';
export { defineProvider } from './feedback/providers/provider.ts';
export type { Logger } from './logger.ts';
export type {
  Accepted,
  AcceptedDelivery,
  DeliveryState,
  Json,
  Stream,
  TemplateData,
  TrackingOptions,
} from './message.ts';
export type { EndpointView, HandlerContext } from './notify/port.ts';
export type { LimitOptions, MailRelayOptions, QueueOptions, TemplateOptions } from './options.ts';
export type { LaneLimit, LaneRecord, LaneView } from './queue/port.ts';
export type { Domains } from './relay/domains.ts';
export type { FeedbackTools, RawMail, UnmatchedQuery } from './relay/feedback.ts';
export type { StopOptions } from './relay/lifecycle.ts';
export type { Listener } from './relay/listeners.ts';
export type { ListFormat } from './relay/lists/formats.ts';
export type { ImportOptions, ImportResult, SuppressionLists } from './relay/lists/suppression-list.ts';
export type {
  Lanes,
  Messages,
  Reports,
  SelectionInput,
  Suppressions,
  Templates as TemplateTools,
} from './relay/parts.ts';
export type { DeferralQuery, ReportQuery } from './relay/queries.ts';
export type { EventHandler, SubscribeOptions, Subscription } from './relay/subscribing.ts';
export type { SubscriptionPageQuery, Subscriptions } from './relay/subscriptions.ts';
export type { NewWebhookOut, RotateOptions, WebhookOutSecret, WebhooksOut } from './relay/webhooks-out.ts';
export { createMailRelay, type MailRelay } from './relay.ts';
export type {
  Breakdown,
  CampaignReport,
  DeferralReport,
  ExplainedReason,
  Explanation,
  Figures,
  OutcomeFigures,
  Rates,
  Readers,
  ReportDimension,
  ReportOrder,
  SummaryReport,
} from './report/port.ts';
export type { RouteHealth, RouteRules } from './route/port.ts';
export type { ShapingOptions, ShapingRule, SiteLimits, SiteOptions } from './shaping-options.ts';
export type {
  DeliveryRecord,
  FailedEvent,
  LinkCount,
  ListQuery,
  MessageRecord,
  Page,
  Received,
  ReplaySelection,
  Selection,
  StoreSpec,
  SubscriptionKind,
  SubscriptionView,
  Suppression,
  UnmatchedFeedback,
  WebhookAttempt,
} from './store/port.ts';
export { sqlite } from './store/spec.ts';
export type { BulkProgress, Rejection } from './submit/bulk.ts';
export type { BulkResult, BulkSend } from './submit/bulk-send.ts';
export type {
  AddressList,
  AlternativeInput,
  AttachmentInput,
  BulkOptions,
  BulkRecipient,
  CalendarInput,
  HeadersInput,
  ListValue,
  MessageFields,
  SendMessage,
} from './submit/input.ts';
export type { NodemailerMail, NodemailerTransport, SentInfo } from './submit/nodemailer.ts';
export type { SoftBounceOptions, SuppressionOptions } from './suppression-policy.ts';
export {
  type AnyTemplate,
  type CompiledTemplate,
  type CompiledText,
  type DataOf,
  defineTemplate,
  type TemplateDefinition,
  type TemplateName,
  type Templates,
} from './template.ts';
export type { FailingRoute, Health, ReceivedFeedback, ReceivedMail, RouteCheck } from './thread/port.ts';
export type { UnsubscribeOptions, UnsubscribeTexts, UnsubscribeView } from './unsubscribe.ts';
export type { VerifyOptions } from './verify-options.ts';
export type { WarmUpOptions } from './warm-up.ts';
export type { WebhookOutOptions } from './webhooks-out-options.ts';
