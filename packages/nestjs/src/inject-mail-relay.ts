import { Inject, type InjectionToken } from '@nestjs/common';
import { MailRelayService } from './mail-relay.service.ts';

/** What a relay is provided under, to override it in tests: the class, or one token for each name. */
export function getMailRelayToken(name?: string): InjectionToken<MailRelayService> {
  return name === undefined ? MailRelayService : `MailRelay:${name}`;
}

/**
 * Injects the relay of a name.
 *
 * @param name - the `name` of its module; none for the relay without a name.
 * @example
 * constructor(@InjectMailRelay('billing') private readonly mail: MailRelayService) {}
 */
export function InjectMailRelay(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getMailRelayToken(name));
}
