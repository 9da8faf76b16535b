/** Options of the presets; credentials that are not given come from the environment. */
import type { RouteOptions, SmtpOptions } from '../port.ts';

/** What all presets have in common, beside what all routes have. */
export interface ProviderRouteOptions extends RouteOptions {
  /** Another way to the provider's server, as for tests and proxies; what is given goes over the preset. @default the provider's host, port 587, STARTTLS required */
  readonly server?: ServerOptions | undefined;
}

/** How a provider's server is reached: all of SMTP but the login. */
export type ServerOptions = { readonly [Name in keyof Omit<SmtpOptions, 'auth'>]?: SmtpOptions[Name] | undefined };

/** Options of `ses()`. */
export interface SesOptions extends ProviderRouteOptions {
  /** AWS region, such as `eu-west-3`. @default none: needed @env AWS_REGION */
  readonly region?: string | undefined;
  /** User name of SMTP credentials of the region (an access key of IAM alone does not work). @default none: needed @env SES_SMTP_USER */
  readonly user?: string | undefined;
  /** Password of these. @default none: needed @env SES_SMTP_PASSWORD */
  readonly pass?: string | undefined;
  /** Configuration set, which says which events SES reports, and to whom. @default that of the sender's identity @env SES_CONFIGURATION_SET */
  readonly configurationSet?: string | undefined;
}

/** Options of `sendgrid()`. */
export interface SendgridOptions extends ProviderRouteOptions {
  /** `global`, or `eu` for a subuser of that region. @default `global` */
  readonly region?: 'global' | 'eu' | undefined;
  /** API key that may send mail. @default none: needed @env SENDGRID_API_KEY */
  readonly apiKey?: string | undefined;
}

/** Options of `mailgun()`. */
export interface MailgunOptions extends ProviderRouteOptions {
  /** Region of the sending domain. @default `us` */
  readonly region?: 'us' | 'eu' | undefined;
  /** SMTP login of the sending domain, such as `postmaster@mg.example.com`. @default none: needed @env MAILGUN_SMTP_LOGIN */
  readonly user?: string | undefined;
  /** Its password. @default none: needed @env MAILGUN_SMTP_PASSWORD */
  readonly pass?: string | undefined;
}

/** Options of `brevo()`. */
export interface BrevoOptions extends ProviderRouteOptions {
  /** SMTP login. @default none: needed @env BREVO_SMTP_LOGIN */
  readonly user?: string | undefined;
  /** SMTP key (an API key does not work). @default none: needed @env BREVO_SMTP_KEY */
  readonly key?: string | undefined;
}

/** Options of `sarbacane()`. */
export interface SarbacaneOptions extends ProviderRouteOptions {
  /** SMTP user name. @default none: needed @env SARBACANE_SMTP_USER */
  readonly user?: string | undefined;
  /** API key of the account. @default none: needed @env SARBACANE_API_KEY */
  readonly apiKey?: string | undefined;
}
