// A real parleyd for a test, and a TCP relay in front of it that can be cut.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/**
 * Starts $PARLEYD on a free port (or the one given) and waits until it listens. With a tls of
 * {cert, key} (files) it also listens over TLS, on tlsPort; config names a file. With admin it also
 * answers for metrics, on adminPort.
 */
export async function startServer(options = {}) {
    const { port = 0, tls, config, limits = false, admin = false, env = {} } = options;
    const program = process.env.PARLEYD;
    if (!program) throw new Error('PARLEYD is not set: it names the parleyd to be tested');
    accessSync(program, constants.X_OK);
    const child = spawn(
        program,
        [
            '--listen',
            `127.0.0.1:${port}`,
            '--admin-listen',
            admin ? '127.0.0.1:0' : 'off',
            '--log-format',
            'json',
            ...(config ? ['--config', config] : []),
            ...(limits ? [] : ['--no-limits']),
            ...(tls ? ['--tls-listen', '127.0.0.1:0', '--tls-cert', tls.cert] : []),
            ...(tls ? ['--tls-key', tls.key] : []),
        ],
        { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } },
    );
    const gone = once(child, 'exit');
    const log = [];
    const ports = {};
    await new Promise((resolve, reject) => {
        const look = (line) => {
            log.push(line);
            const entry = parsed(line);
            if (entry?.msg === 'listening') {
                ports[entry.listener] = Number(entry.address.split(':').at(-1));
            }
            if (entry?.msg === 'ready') resolve();
        };
        createInterface({ input: child.stdout }).on('line', look);
        createInterface({ input: child.stderr }).on('line', look);
        child.on('error', reject);
        gone.then(([code, signal]) =>
            reject(new Error(`parleyd ended (${code ?? signal}) unasked:\n${log.join('\n')}`)),
        );
    });
    const end = async (signal) => {
        child.kill(signal);
        return gone;
    };
    return {
        port: ports.plain,
        tlsPort: ports.tls,
        adminPort: ports.admin,
        pid: child.pid,
        url: `http://127.0.0.1:${ports.plain}/`,
        log,
        /** As a crash: no goodbye to anyone. */
        kill: () => end('SIGKILL'),
        /** As an operator would; resolves with [exit code, signal]. */
        stop: () => end('SIGTERM'),
    };
}

/**
 * Writes a configuration with accounts (hashed quickly), a history and files into that folder, and
 * what else there is of it; its name.
 */
export function configWithAll(folder, more = '') {
    const config = join(folder, 'parley.toml');
    writeFileSync(
        config,
        `[accounts]
store = "sqlite:${folder}/accounts.db"
hash_memory = "8KiB"
hash_passes = 1
[history]
store = "sqlite:${folder}/history.db"
[files]
folder = "${folder}/files"
${more}`,
    );
    return config;
}

function parsed(line) {
    try {
        return JSON.parse(line);
    } catch {
        return null;
    }
}

/** Relays TCP to a port of this machine until told otherwise. */
export async function startRelay(port) {
    const pairs = new Set();
    let through = true;
    let answers = true;
    const relay = net.createServer((near) => {
        near.on('error', () => {});
        if (!through) return near.destroy();
        const far = net.connect(port, '127.0.0.1');
        const pair = [near, far];
        pairs.add(pair);
        near.on('data', (bytes) => far.write(bytes));
        far.on('data', (bytes) => answers && near.write(bytes));
        for (const socket of pair) {
            socket.on('error', () => {});
            socket.on('close', () => {
                pairs.delete(pair);
                for (const each of pair) each.destroy();
            });
        }
    });
    relay.listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const cut = () => {
        through = false;
        for (const pair of pairs) for (const socket of pair) socket.destroy();
    };
    return {
        port: relay.address().port,
        url: `http://127.0.0.1:${relay.address().port}/`,
        /** Ends every connection and lets no new one through. */
        cut,
        /** What the server says is lost from here on; what it is told still arrives. */
        loseAnswers: () => (answers = false),
        restore: () => (through = answers = true),
        close: () => {
            cut();
            relay.close();
        },
    };
}

/**
 * Relays HTTP to a port of this machine; what a WebSocket says whose target has lag=N is late by N
 * milliseconds, either way.
 */
export async function startLaggingRelay(port) {
    const relay = net.createServer((near) => {
        const far = net.connect(port, '127.0.0.1');
        let lag;
        const pass = (from, to) => {
            from.on('data', (bytes) => {
                lag ??= Number(/^GET [^ ]*[?&]lag=(\d+)[^ ]*websocket/.exec(bytes)?.[1] ?? 0);
                if (lag === 0) to.write(bytes);
                else setTimeout(() => to.write(bytes), lag);
            });
            from.on('error', () => {});
            from.on('close', () => setTimeout(() => to.destroy(), lag));
        };
        pass(near, far);
        pass(far, near);
    });
    relay.listen(0, '127.0.0.1');
    await once(relay, 'listening');
    return {
        url: `http://127.0.0.1:${relay.address().port}/`,
        close: () => relay.close(),
    };
}
