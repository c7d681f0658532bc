// Peers that dawdle, beside a room that talks: heads and bodies that come byte by byte, answers
// that nobody reads. The room loses nothing, and each of them is ended in its time. How the room's
// latency fares is printed. SLOW_PEERS says how many of them (300).

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { startServer } from './server.mjs';

const run = promisify(execFile);
const peers = Number(process.env.SLOW_PEERS ?? 300);
const seconds = Number(process.env.SLOW_SECONDS ?? 3);

/** A room of 50 with 50 messages a second; its report. Ends with 1 where anything was lost. */
async function healthyRoom(port, name) {
    const program = process.env.PARLEY_LOAD;
    if (!program) throw new Error('PARLEY_LOAD is not set: it names the load generator');
    const report = join(tmpdir(), `slow_peers_${process.pid}.json`);
    try {
        const url = `ws://127.0.0.1:${port}/ws`;
        const options = { connections: 50, rooms: 1, rate: 50, duration: `${seconds}s`, ramp: '1s', 'room-prefix': name };
        const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`]);
        // 2: the generator was the bottleneck, which says nothing of what was delivered.
        await run(program, ['--url', url, ...flags, '--quiet', '--json', report]).catch((error) => {
            assert.equal(error.code, 2, `${error.stdout}\n${error.stderr}`);
        });
        return JSON.parse(readFileSync(report));
    } finally {
        rmSync(report, { force: true });
    }
}

const p99 = (report) => `${(report.latency_us.p99 / 1000).toFixed(2)} ms`;

/** Deliveries of whatever fault. */
function faults({ deliveries }) {
    const { lost, announced, duplicate, out_of_order: disordered, stray } = deliveries;
    assert.ok(deliveries.received > 0);
    return lost + announced + duplicate + disordered + stray;
}

const begins = {
    head: 'GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ',
    body: 'POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n',
    answer: 'GET /parley.js HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(1000),
};

/** Dawdles until the server ends it; resolves with what the server said. */
async function dawdle(port, kind) {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    socket.on('error', () => {});
    await once(socket, 'connect');
    let said = '';
    let trickle;
    if (kind === 'answer') {
        socket.pause();
    } else {
        socket.on('data', (bytes) => (said += bytes));
        trickle = setInterval(() => socket.write('x'), 100);
    }
    socket.write(begins[kind]);
    const gone = new Promise((resolve) => socket.once('close', resolve)).then(() => {
        clearInterval(trickle);
        return said;
    });
    return { socket, gone };
}

test('peers that dawdle are ended, and cost a room beside them nothing', async () => {
    Object.assign(process.env, {
        // Longer than the room is measured: they are there all the time.
        PARLEY_HTTP__HEAD_TIMEOUT: `${3 * seconds}s`,
        PARLEY_HTTP__BODY_TIMEOUT: `${3 * seconds}s`,
        PARLEY_HTTP__WRITE_TIMEOUT: `${3 * seconds}s`,
    });
    const server = await startServer();
    try {
        const alone = await healthyRoom(server.port, 'alone');
        const kinds = Object.keys(begins);
        const slow = await Promise.all(
            Array.from({ length: peers }, (_, i) => dawdle(server.port, kinds[i % kinds.length])),
        );
        const beside = await healthyRoom(server.port, 'beside');
        console.log(`p99 of delivery: ${p99(alone)} alone, ${p99(beside)} beside ${peers} slow peers`);
        for (const report of [alone, beside]) assert.equal(faults(report), 0);
        // Whoever reads is told; whoever does not finds out once it does.
        for (const [i, peer] of slow.entries()) {
            if (kinds[i % kinds.length] === 'answer') {
                peer.socket.resume();
                await peer.gone;
            } else {
                assert.match(await peer.gone, /^HTTP\/1.1 408 /);
            }
        }
    } finally {
        await server.stop();
    }
});
