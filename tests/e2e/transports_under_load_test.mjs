// Every transport under load, plain and over TLS: users of all of them in the same rooms, each of them
// publishing, and every delivery checked by the load generator.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { makeCertificate } from './clients.mjs';
import { startServer } from './server.mjs';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'parley-transports-'));
const mixes = {
    all: 'websocket=20,sse=20,longpoll=20,socketio=20,socketio-polling=20',
    socketio: 'socketio=50,socketio-polling=50',
};
const scenario = {
    connections: 60,
    rooms: 2,
    spread: 30, // all of them publish
    rate: 120,
    duration: '3s',
    ramp: '1s',
};

let certificate; // {cert, key}: files
let server;

before(async () => {
    certificate = makeCertificate(folder);
    server = await startServer({ tls: certificate });
});

after(async () => {
    // A poll that was answered as its user left is awaited again until its session times out.
    await server?.kill();
    rmSync(folder, { recursive: true });
});

/** The report of a run, which lost, repeated, reordered and refused nothing. */
async function cleanRun(url, options) {
    const program = process.env.PARLEY_LOAD;
    if (!program) throw new Error('PARLEY_LOAD is not set: it names the load generator');
    const file = join(folder, 'report.json');
    const flags = Object.entries({ ...scenario, ...options, url, json: file }).flatMap(
        ([name, value]) => [`--${name}`, `${value}`],
    );
    // 2: the generator was the bottleneck, which says nothing of what was delivered.
    await run(program, ['--quiet', ...flags]).catch((error) => {
        const report = error.code === 1 ? readFileSync(file) : '';
        assert.equal(error.code, 2, `${error.stdout}\n${error.stderr}\n${report}`);
    });
    return JSON.parse(readFileSync(file));
}

for (const scheme of ['http', 'https']) {
    const to = () => `${scheme}://127.0.0.1:${scheme === 'http' ? server.port : server.tlsPort}`;
    const trust = () => (scheme === 'https' ? { 'tls-ca': certificate.cert } : {});

    for (const [name, mix] of Object.entries(mixes)) {
        test(`${scheme}: ${name} transports in the same rooms lose nothing`, async () => {
            const prefix = `${scheme}-${name}`;
            const report = await cleanRun(to(), { mix, 'room-prefix': prefix, ...trust() });
            for (const [transport, part] of Object.entries(report.by_transport)) {
                assert.equal(part.opened, (60 * part.percent) / 100, transport);
                assert.ok(part.published > 0, `${transport} published nothing`);
                assert.ok(part.deliveries.received > 0, `${transport} was sent nothing`);
                const answers = transport === 'websocket' ? 0 : part.published;
                assert.equal(part.answer_us.count > 0, answers > 0, transport);
            }
            assert.ok(report.messages.published >= 300);
        });
    }

    test(`${scheme}: Socket.IO clients that come and go lose nothing`, async () => {
        const options = { mix: mixes.socketio, spread: 2, churn: 20, ...trust() };
        const report = await cleanRun(to(), { ...options, 'room-prefix': `${scheme}-churn` });
        assert.ok(report.connections.churned > 0);
        assert.equal(report.connections.rejoined, report.connections.churned);
    });
}
