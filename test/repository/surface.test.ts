import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as cli from '@mailrelay/cli';
import * as core from '@mailrelay/core';
import * as node from '@mailrelay/core/node';
import * as templates from '@mailrelay/core/templates';
import * as testing from '@mailrelay/core/testing';
import * as express from '@mailrelay/express';
import * as nestjs from '@mailrelay/nestjs';
import * as compat from '@mailrelay/nestjs/compat';
import * as nestjsTesting from '@mailrelay/nestjs/testing';
import { expect, it } from 'vitest';

it('the packages export these values', () => {
  const names = (module: object): string[] => Object.keys(module).sort();
  expect({
    core: names(core),
    node: names(node),
    testing: names(testing),
    templates: names(templates),
    express: names(express),
    nestjs: names(nestjs),
    compat: names(compat),
    nestjsTesting: names(nestjsTesting),
    cli: names(cli),
  }).toMatchInlineSnapshot(`
    {
      "cli": [
        "UsageError",
        "VERSION",
        "run",
      ],
      "compat": [
        "HandlebarsAdapter",
        "MailerModule",
        "MailerService",
        "MjmlAdapter",
      ],
      "core": [
        "ERRORS",
        "MailRelayError",
        "brevo",
        "capture",
        "createMailRelay",
        "defineProvider",
        "defineTemplate",
        "directMx",
        "isMailRelayError",
        "mailgun",
        "meaningOf",
        "sarbacane",
        "sendgrid",
        "ses",
        "smtp",
        "sqlite",
      ],
      "express": [
        "mailRelay",
      ],
      "nestjs": [
        "InjectMailRelay",
        "MailRelayHealthIndicator",
        "MailRelayModule",
        "MailRelayService",
        "OnMailEvent",
        "getMailRelayToken",
        "mailRelayHandler",
      ],
      "nestjsTesting": [
        "MailRelayInbox",
        "MailRelayTestModule",
        "mailRelayKit",
      ],
      "node": [
        "toNodeHandler",
      ],
      "templates": [
        "compileFolder",
      ],
      "testing": [
        "checkProvider",
        "createTestRelay",
        "mailMatchers",
      ],
    }
  `);
});

it('the core exports these types', () => {
  const index = readFileSync(join(import.meta.dirname, '../../packages/core/src/index.ts'), 'utf8');
  const types = [...index.matchAll(/export type \{([^}]*)\}|\btype (\w+)(?=[,\s}])/g)].flatMap(([, list, one]) =>
    (list ?? one ?? '').split(',').map((name) => name.replace(/.*\bas\b/, '').trim()),
  );
  expect([...new Set(types.filter(Boolean))].sort().join(' ')).toMatchInlineSnapshot(
    `"Accepted AcceptedDelivery AddressInput AddressList Agent AgentKind Alert AlertKind AlertOptions AlternativeInput AnyTemplate AttachmentInput Attempt Breakdown BrevoOptions BulkOptions BulkProgress BulkRecipient BulkResult BulkSend CalendarInput CampaignReport CheckDomainOptions Clock CompiledTemplate CompiledText CreateKeyOptions CreatedKey DataOf DeferralQuery DeferralReport DeliveryRecord DeliveryState DirectMxOptions DkimKeyOptions DkimOptions DnsRecord DomainFinding DomainReport DomainResolver DomainTopic Domains EndpointView ErrorCode EventHandler EventOf EventType ExplainedReason Explanation FailedEvent FailingRoute Fault FeedbackEvent FeedbackFacts FeedbackReport FeedbackTools FeedbackType Figures FoundBy HandlerContext HeadersInput Health HookRequest HookTools HookVerdict ImportOptions ImportResult Json LaneLimit LaneRecord LaneView Lanes LimitOptions LinkCount ListFormat ListQuery ListValue Listener Logger MailRelay MailRelayOptions MailReport Mailbox MailgunOptions MailgunWebhookOptions Meaning MessageEvent MessageFields MessageRecord Messages NewWebhookOut NodemailerMail NodemailerTransport NoticeEvent Outcome OutcomeFigures OutgoingMail Page PolicyFile QueueOptions RateAlertOptions Rates RawMail ReadTools Readers ReasonClass Received ReceivedFeedback ReceivedMail Refusal Rejection RelayEvents RenderedTemplate ReplaySelection ReplayWindowOptions ReportDimension ReportOrder ReportQuery Reports ResendWebhookOptions RotateOptions RouteCheck RouteHealth RouteRules RouteSpec SarbacaneOptions SecretPathOptions Selection SelectionInput SendMessage SendgridOptions SendgridWebhookOptions SentInfo SesOptions SesWebhookOptions ShapingOptions ShapingRule SharedSecretOptions SiteLimits SiteOptions SmtpOptions SoftBounceOptions StopOptions StoreSpec Stream SubscribeOptions SubscribedEvent SubscribedEventOf SubscribedType Subscription SubscriptionKind SubscriptionPageQuery SubscriptionView Subscriptions SummaryReport Suppression SuppressionLists SuppressionOptions Suppressions TemplateData TemplateDefinition TemplateName TemplateOptions TemplateTools Templates TextRecord TrackingOptions Transcript TranscriptStep Transport UnmatchedFeedback UnmatchedQuery UnsubscribeOptions UnsubscribeTexts UnsubscribeView VerifyOptions WarmUpOptions Warning WarningOptions WebhookAttempt WebhookOptions WebhookOutOptions WebhookOutSecret WebhookProvider WebhooksOut"`,
  );
});
