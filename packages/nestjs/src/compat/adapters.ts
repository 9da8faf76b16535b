import { unsupported } from './unsupported.ts';

/** Names the template engine. The relay compiles templates itself, once, away from the host's thread. */
export interface TemplateAdapter {
  readonly engine: 'handlebars' | 'mjml';
}

/** For templates in `.hbs` files. */
export class HandlebarsAdapter implements TemplateAdapter {
  readonly engine = 'handlebars';

  /** @throws MailRelayError `OPTION_UNSUPPORTED` for helpers, which are functions of the host */
  constructor(helpers?: Readonly<Record<string, unknown>>, _config?: object) {
    refuseHelpers(helpers);
  }
}

/** For templates in `.mjml` files, with Handlebars in them. */
export class MjmlAdapter implements TemplateAdapter {
  readonly engine = 'mjml';

  /** @throws MailRelayError `OPTION_UNSUPPORTED` for engines other than Handlebars, and for helpers */
  constructor(
    engine: string | TemplateAdapter = 'handlebars',
    _config?: object,
    others: { readonly handlebar?: { readonly helper?: Readonly<Record<string, unknown>> } } = {},
  ) {
    if (engine !== '' && engine !== 'handlebars' && !(engine instanceof HandlebarsAdapter))
      unsupported('MjmlAdapter', 'the values of a template are Handlebars');
    refuseHelpers(others.handlebar?.helper);
  }
}

function refuseHelpers(helpers: object | undefined): void {
  if (Object.keys(helpers ?? {}).length > 0)
    unsupported('helpers', 'work the value out before, and hand it in as `context`');
}
