// A small shop for Node 18.2 or newer, without packages:  PORT=8081 PROFILE=real1 node server.js
'use strict';
const http = require('node:http');
const { version } = require('./package.json');

const { PORT = '8080', PROFILE = 'default' } = process.env;
const label = `${version} ${PROFILE}`;
let stopping = false;

const pages = {
  // a real app asks its database here, and answers 503 until it is ready
  '/health': ['application/json', JSON.stringify({ status: 'UP', version, profile: PROFILE })],
  '/profile': ['text/plain; charset=utf-8', PROFILE],
};

const server = http.createServer(async (request, response) => {
  const body = [];
  for await (const piece of request) body.push(piece);
  const [type, text] = pages[request.url] ?? ['text/plain; charset=utf-8', `${label}\n${Buffer.concat(body)}`];
  response.writeHead(200, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(text),
    ...(stopping && { Connection: 'close' }),
  });
  response.end(text);
});

// What is in flight is answered; `close` ends idle connections too (Node 19 and newer do that by themselves).
process.on('SIGTERM', () => {
  stopping = true;
  console.log(`${label} is stopping`);
  server.close(() => process.exit(0));
  server.closeIdleConnections();
  setTimeout(() => process.exit(1), 20_000).unref(); // [stop] grace in bluegreen.toml is longer
});

server.listen(Number(PORT), '127.0.0.1', () => console.log(`${label} listens on port ${PORT}`));
