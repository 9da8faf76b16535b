import { createMailRelay } from '@mailrelay/core';
import { createApp } from './app.ts';

const relay = createMailRelay({
  from: 'Acme <hello@acme.example>',
  templates: new URL('../emails', import.meta.url).pathname,
});
createApp(relay).listen(Number(process.env.PORT ?? 3000));
