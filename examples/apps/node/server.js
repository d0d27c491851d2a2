// A small app for Node 18 or newer, without packages:  node server.js --port=8081 --profile=real1
'use strict';
const http = require('node:http');
const { parseArgs } = require('node:util');
const { version } = require('./package.json');

const { port, profile } = parseArgs({
  options: {
    port: { type: 'string', default: process.env.PORT ?? '8080' },
    profile: { type: 'string', default: process.env.PROFILE ?? 'default' },
  },
}).values;

const label = `${version} ${profile}`;
let stopping = false;

const server = http.createServer(async (request, response) => {
  const body = [];
  for await (const piece of request) body.push(piece);
  const text = request.url === '/profile' ? [Buffer.from(profile)] : [Buffer.from(`${label}\n`), ...body];
  const answer = Buffer.concat(text);
  response.writeHead(200, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': answer.length,
    ...(stopping && { Connection: 'close' }),
  });
  response.end(answer);
});

// What is in flight is answered; `close` ends idle connections too (Node 19 and newer do that by themselves).
process.on('SIGTERM', () => {
  stopping = true;
  console.log(`${label} is stopping`);
  server.close(() => process.exit(0));
  server.closeIdleConnections();
  setTimeout(() => process.exit(1), 20_000).unref();
});

server.listen(Number(port), '127.0.0.1', () => console.log(`${label} listens on port ${port}`));
