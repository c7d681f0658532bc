// The clients that people have, each as it is shipped: WebSockets of npm's ws, of Debian's
// python3-websockets and of Chromium; event streams of curl and of Chromium; curl for the rest.
// All are driven alike.

import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import net from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** For localhost and the loopback address, made on the spot: {cert, key}, files in that folder. */
export function makeCertificate(folder) {
    const [cert, key] = ['cert.pem', 'key.pem'].map((name) => join(folder, name));
    const curve = 'ec_paramgen_curve:P-256';
    const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
    const request = ['-x509', '-newkey', 'ec', '-pkeyopt', curve, '-nodes', '-days', '2'];
    const subject = ['-subj', '/CN=localhost', '-addext', names];
    const files = ['-keyout', key, '-out', cert];
    execFileSync('openssl', ['req', ...request, ...subject, ...files], { stdio: 'pipe' });
    return { cert, key };
}

/** One of a server's ports, and how it is spoken to. */
export class Door {
    constructor(port, certificate) {
        this.port = port;
        this.certificate = certificate; // of TLS: {file, text}
        const secure = certificate ? 's' : '';
        this.url = `http${secure}://127.0.0.1:${port}/`;
        this.webSocketUrl = `ws${secure}://127.0.0.1:${port}/ws`;
        this.http = certificate ? https : http;
        this.agent = new this.http.Agent({ keepAlive: true, ca: certificate?.text });
    }

    /** The same door somewhere else, as behind a relay. */
    at(port) {
        return new Door(port, this.certificate);
    }

    room(room, leaf = 'messages') {
        return `${this.url}api/v1/rooms/${room}/${leaf}`;
    }

    /** Its answer to a request of this program itself: {status, headers, body}. */
    async ask(url, { method = 'GET', json } = {}) {
        const body = json && JSON.stringify(json);
        const headers = body ? { 'content-type': 'application/json' } : {};
        const request = this.http.request(url, { method, headers, agent: this.agent });
        request.end(body);
        const [answer] = await once(request, 'response');
        let text = '';
        for await (const part of answer.setEncoding('utf8')) text += part;
        return { status: answer.statusCode, headers: answer.headers, body: JSON.parse(text) };
    }

    /** Says something by REST; resolves with the answer's body. */
    async say(room, text, name = 'ann') {
        const json = { text, name };
        const answer = await this.ask(this.room(room), { method: 'POST', json });
        assert.equal(answer.status, 201);
        return answer.body;
    }

    /** What curl prints. */
    async curl(...args) {
        const trust = this.certificate ? ['--cacert', this.certificate.file] : [];
        const { stdout } = await run('curl', [
            ...['--silent', '--show-error', '--max-time', '20'],
            ...trust,
            ...args,
        ]);
        return stdout;
    }

    /** A connection of bare bytes. */
    async connect(t) {
        const options = { port: this.port, host: '127.0.0.1', ca: this.certificate?.text };
        const socket = this.certificate ? tls.connect(options) : net.connect(options);
        t.after(() => socket.destroy());
        await once(socket, this.certificate ? 'secureConnect' : 'connect');
        return socket;
    }
}

/** What came and was not looked at yet. After end(), next() is undefined. */
export class Inbox {
    #come = [];
    #waiting = null;
    #ended = false;

    push(value) {
        this.#come.push(value);
        this.#waiting?.();
    }

    end() {
        this.#ended = true;
        this.#waiting?.();
    }

    async next() {
        while (this.#come.length === 0) {
            if (this.#ended) return undefined;
            await new Promise((resolve) => (this.#waiting = resolve));
        }
        return this.#come.shift();
    }

    /** The next that fits; what comes before it is passed over. */
    async until(fits) {
        for (;;) {
            const value = await this.next();
            assert.ok(value !== undefined, `it ended before ${fits}`);
            if (fits(value)) return value;
        }
    }
}

// ---- WebSockets: {inbox of frames, send(frame), close(), closed: of {code, protocol}} --------

async function openNpm(t, door) {
    const { WebSocket } = createRequire(import.meta.url)('ws');
    const socket = new WebSocket(door.webSocketUrl, 'parley.v1', { ca: door.certificate?.text });
    t.after(() => socket.terminate());
    const inbox = new Inbox();
    const closed = new Promise((resolve) => {
        socket.on('close', (code) => {
            inbox.end();
            resolve({ code, protocol: socket.protocol });
        });
    });
    socket.on('message', (bytes) => inbox.push(JSON.parse(bytes)));
    await once(socket, 'open');
    socket.on('error', () => {});
    const send = (frame) => socket.send(JSON.stringify(frame));
    return { inbox, send, closed, close: () => socket.close(1000) };
}

const pythonClient = fileURLToPath(new URL('websockets_client.py', import.meta.url));

// Debian's own Python has Debian's packages; another one that comes first in PATH does not.
async function openPython(t, door) {
    const trust = door.certificate ? [door.certificate.file] : [];
    const python = process.env.PYTHON ?? '/usr/bin/python3';
    const child = spawn(python, [pythonClient, door.webSocketUrl, ...trust], {
        stdio: ['pipe', 'pipe', 'inherit'],
    });
    t.after(() => child.kill());
    child.stdin.on('error', () => {});
    const inbox = new Inbox();
    const closed = new Promise((resolve, reject) => {
        const lines = createInterface({ input: child.stdout });
        lines.on('line', (line) => {
            const frame = JSON.parse(line);
            if (frame.type === 'closed') resolve(frame);
            else inbox.push(frame);
        });
        lines.on('close', () => {
            inbox.end();
            reject(new Error('websockets_client.py failed: is python3-websockets installed?'));
        });
    });
    // Who waits for frames finds out first.
    closed.catch(() => {});
    const send = (frame) => child.stdin.write(`${JSON.stringify(frame)}\n`);
    return { inbox, send, closed, close: () => child.stdin.end() };
}

/** A page of the door's own origin that tells the inbox what its scripts tell it. */
async function openPlainPage(t, door, browser) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    t.after(() => context.close());
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const inbox = new Inbox();
    await page.exposeFunction('tell', (value) => inbox.push(value));
    await page.goto(`${door.url}healthz`);
    return { page, inbox };
}

async function openInChromium(t, door, browser) {
    const { page, inbox } = await openPlainPage(t, door, browser);
    let wasClosed;
    const closed = new Promise((resolve) => (wasClosed = resolve));
    await page.exposeFunction('wasClosed', (how) => {
        inbox.end();
        wasClosed(how);
    });
    await page.evaluate((url) => {
        window.socket = new WebSocket(url, 'parley.v1');
        window.socket.onmessage = ({ data }) => window.tell(JSON.parse(data));
        window.socket.onclose = ({ code }) =>
            window.wasClosed({ code, protocol: window.socket.protocol });
        return new Promise((resolve, reject) => {
            window.socket.onopen = resolve;
            window.socket.onerror = () => reject(new Error('the WebSocket failed'));
        });
    }, door.webSocketUrl);
    const send = (frame) =>
        page.evaluate((text) => window.socket.send(text), JSON.stringify(frame));
    return { inbox, send, closed, close: () => page.evaluate(() => window.socket.close(1000)) };
}

export const webSockets = {
    "npm's ws": openNpm,
    'python3-websockets': openPython,
    Chromium: openInChromium,
};

// ---- event streams: an inbox of {event, id, data} -------------------------------------------

async function openCurl(t, door, url) {
    const trust = door.certificate ? ['--cacert', door.certificate.file] : [];
    const child = spawn('curl', ['--silent', '--no-buffer', ...trust, url]);
    t.after(() => child.kill());
    const inbox = new Inbox();
    let event = {};
    createInterface({ input: child.stdout })
        .on('line', (line) => {
            if (line === '') {
                if (event.data) inbox.push({ ...event, data: JSON.parse(event.data) });
                event = {};
            } else {
                const [, field, value] = /^(\w*): ?(.*)$/.exec(line);
                event[field] = value;
            }
        })
        .on('close', () => inbox.end());
    const ended = once(child, 'close').then(([code]) => code);
    return { inbox, ended };
}

async function openEventSource(t, door, url, browser) {
    const { page, inbox } = await openPlainPage(t, door, browser);
    await page.evaluate((source) => {
        window.opened = 0;
        const events = new EventSource(source);
        events.onopen = () => ++window.opened;
        for (const event of ['message', 'gap', 'joined', 'drain']) {
            events.addEventListener(event, ({ lastEventId: id, data }) =>
                window.tell({ event, id, data: JSON.parse(data) }),
            );
        }
    }, url);
    return { inbox, page };
}

export const eventStreams = {
    'curl -N': openCurl,
    EventSource: openEventSource,
};
