import type { ProviderName, RouteSpec } from '../port.ts';
import { brevo } from './brevo.ts';
import { mailgun } from './mailgun.ts';
import type { Provider } from './provider.ts';
import { sarbacane } from './sarbacane.ts';
import { sendgrid } from './sendgrid.ts';
import { ses } from './ses.ts';

/** Every provider that has a preset. */
export const PROVIDERS: Readonly<Record<ProviderName, Provider>> = { ses, sendgrid, mailgun, brevo, sarbacane };

/** The provider that a route speaks with; undefined where it is nobody in particular. */
export function providerOf(route: RouteSpec): Provider | undefined {
  return route.kind === 'smtp' && route.provider !== undefined ? PROVIDERS[route.provider.name] : undefined;
}
