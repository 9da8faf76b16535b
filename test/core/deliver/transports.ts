import { onTestFinished } from 'vitest';
import type { OutgoingMail, SmtpOptions, Transport } from '../../../packages/core/src/deliver/port.ts';
import { createSmtpTransport } from '../../../packages/core/src/deliver/smtp/transport.ts';

export function transportTo(port: number, options: Partial<SmtpOptions> = {}): Transport {
  const transport = createSmtpTransport('out', { host: '127.0.0.1', port, ...options });
  onTestFinished(() => transport.close());
  return transport;
}

export function mail(index = 0): OutgoingMail {
  return {
    deliveryId: `dlv_${index}`,
    messageId: `<${index}@example.com>`,
    envelope: { from: 'app@example.com', to: `r${index}@example.com`, utf8: false, eightBit: false },
    raw: Buffer.from(`Subject: ${index}\r\n\r\nHello\r\n`),
    subject: String(index),
  };
}
