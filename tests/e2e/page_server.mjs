// The pages of pages/, and the browser's build of socket.io-client, on an origin of their own.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** Serves them with the bundle of that package; {origin, close()}. */
export async function startPageServer(client = 'socket.io-client') {
    const bundle = join(dirname(require.resolve(`${client}/package.json`)), 'dist/socket.io.js');
    const server = http.createServer((request, response) => {
        const { pathname } = new URL(request.url, 'http://localhost');
        const page = /^\/(plain|flask|rooms)\.html$/.exec(pathname);
        if (pathname === '/socket.io.js') {
            response.writeHead(200, { 'content-type': 'text/javascript' });
            response.end(readFileSync(bundle));
        } else if (page) {
            response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
            response.end(readFileSync(new URL(`pages/${page[1]}.html`, import.meta.url)));
        } else {
            response.writeHead(pathname === '/favicon.ico' ? 204 : 404).end();
        }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
        origin: `http://127.0.0.1:${server.address().port}`,
        close: () => {
            server.close();
            server.closeAllConnections();
        },
    };
}
