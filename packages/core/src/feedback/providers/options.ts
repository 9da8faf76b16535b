import type { WebhookProvider } from './provider.ts';

/** Whose webhooks are received at `/mail/hooks/<provider>`. A provider that is not named here, nor by the environment, is not there. */
export interface WebhookOptions {
  /** Amazon SES, through SNS. @default none */
  readonly ses?: SesWebhookOptions | undefined;
  /** Twilio SendGrid. @default none */
  readonly sendgrid?: SendgridWebhookOptions | undefined;
  /** Mailgun. @default none */
  readonly mailgun?: MailgunWebhookOptions | undefined;
  /** Brevo. @default none */
  readonly brevo?: SharedSecretOptions | undefined;
  /** Sarbacane Sendkit, which was Tipimail: `/mail/hooks/sarbacane/<secret>` and `/mail/hooks/tipimail/<secret>`. @default none */
  readonly sarbacane?: SecretPathOptions | undefined;
  /** Postmark. @default none */
  readonly postmark?: SharedSecretOptions | undefined;
  /** Mailjet. @default none */
  readonly mailjet?: SharedSecretOptions | undefined;
  /** Resend. @default none */
  readonly resend?: ResendWebhookOptions | undefined;
  /** SparkPost. @default none */
  readonly sparkpost?: SharedSecretOptions | undefined;
  /** Providers of the host's own, made by `defineProvider()`. More on [writing a provider](writing-a-provider.md). @default none */
  readonly others?: readonly WebhookProvider[] | undefined;
}

/** A secret that the path ends with: `/mail/hooks/<provider>/<secret>`. */
export interface SecretPathOptions {
  /** 16 to 200 letters, digits, `_` and `-`, or several while it changes. @default none; needed by a provider that has no other proof @env `<PROVIDER>_WEBHOOK_SECRET`, such as SARBACANE_WEBHOOK_SECRET */
  readonly secret?: string | readonly string[] | undefined;
}

/** What a provider shows that signs nothing. One of the three is needed, and each that is given has to be right. */
export interface SharedSecretOptions extends SecretPathOptions {
  /** User name of basic authentication. @default none @env `<PROVIDER>_WEBHOOK_USER` */
  readonly user?: string | undefined;
  /** Its password. @default none @env `<PROVIDER>_WEBHOOK_PASSWORD` */
  readonly pass?: string | undefined;
  /** Bearer token, or several while it changes. @default none @env `<PROVIDER>_WEBHOOK_TOKEN`, such as BREVO_WEBHOOK_TOKEN */
  readonly token?: string | readonly string[] | undefined;
}

/** How long a signed time holds. */
export interface ReplayWindowOptions {
  /** A webhook that was signed longer ago is refused, ms. @default 600000 (10 minutes) of SendGrid, 43200000 (12 hours: it repeats what was not answered for 8) of Mailgun, 300000 (5 minutes) of Resend, 86400000 (a day) of SES */
  readonly replayWindowMs?: number | undefined;
}

/** Of Amazon SES. */
export interface SesWebhookOptions extends SecretPathOptions, ReplayWindowOptions {
  /** ARNs of the SNS topics that may send. Their subscriptions are confirmed. @default none: needed @env SES_WEBHOOK_TOPICS (several separated by commas) */
  readonly topics?: string | readonly string[] | undefined;
}

/** Of SendGrid. */
export interface SendgridWebhookOptions extends SecretPathOptions, ReplayWindowOptions {
  /** Verification key of the Signed Event Webhook, or several while it changes. @default none: needed @env SENDGRID_WEBHOOK_PUBLIC_KEY */
  readonly publicKey?: string | readonly string[] | undefined;
}

/** Of Mailgun. */
export interface MailgunWebhookOptions extends SecretPathOptions, ReplayWindowOptions {
  /** HTTP webhook signing key of the account, or several while it changes. @default none: needed @env MAILGUN_WEBHOOK_SIGNING_KEY */
  readonly signingKey?: string | readonly string[] | undefined;
}

/** Of Resend. */
export interface ResendWebhookOptions extends SecretPathOptions, ReplayWindowOptions {
  /** Signing secret of the webhook (`whsec_…`), or several while it changes. @default none: needed @env RESEND_WEBHOOK_SIGNING_SECRET */
  readonly signingSecret?: string | readonly string[] | undefined;
}
