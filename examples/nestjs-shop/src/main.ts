import { createShop } from './shop.ts';

const app = await createShop(process.env.SHOP_PLATFORM === 'fastify' ? 'fastify' : 'express');
await app.listen(process.env.PORT ?? 3000);
console.log(`The shop is on ${await app.getUrl()}; in development its mail is under /mail/`);
