/** Keys under which a provider keeps what the relay knows a mail by, and names it in its events; unlikely to be taken. */
export const LABEL_KEYS = { delivery: 'mail_relay_delivery', campaign: 'mail_relay_campaign' } as const;
