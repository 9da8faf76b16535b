import type { AnyTemplate, TemplateOptions } from '@mailrelay/core';
import { type DynamicModule, Module } from '@nestjs/common';

/** What a feature module brings. */
export interface MailRelayFeatureOptions {
  /** Its templates, as in the options of the relay. A folder is best given by `join(import.meta.dirname, 'emails')`, or with `__dirname`. */
  readonly templates: string | readonly AnyTemplate[] | Omit<TemplateOptions, 'watch'>;
  /** Name of the relay that gets them; none for the one without a name. */
  readonly relay?: string;
}

export const FEATURE: unique symbol = Symbol('MailRelay feature');

@Module({})
class MailRelayFeatureModule {}

/** Carries the templates of a feature module; the relay collects them before it is made. */
export function featureModule(options: MailRelayFeatureOptions): DynamicModule {
  return { module: MailRelayFeatureModule, providers: [{ provide: FEATURE, useValue: options }] };
}
