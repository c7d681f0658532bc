// Outbox: what is to be published, under its key, until it is acknowledged or refused.
//
// Entries of one lane (a room, or `@user` for a first direct message) go out in order. What was in
// flight when a connection was lost goes out again under the same key, and so is published once.
// Bounds: limits.outbox entries, then add() is refused at once; limits.sendAttempts refusals.

import { ParleyError, backoffMs, limits } from './values.js';

export class Outbox {
    #env; // {clock, random}
    #call; // (frame, done(error, reply))
    #isOpen; // (lane): whether its frames may go out now
    #closed; // (lane): told where they may not
    #delayed; // told of entries that wait
    #entries = new Map(); // key → {lane, frame, sentAt, attempts, inFlight, resolve, reject}
    #pausedUntil = new Map(); // lane → time

    constructor({ env, call, isOpen, closed, delayed }) {
        this.#env = env;
        this.#call = call;
        this.#isOpen = isOpen;
        this.#closed = closed;
        this.#delayed = delayed;
    }

    /** Resolves with the ack, rejects with a ParleyError once refused for good. */
    add(lane, frame) {
        if (this.#entries.size >= limits.outbox) {
            const message = 'too many messages are waiting to be sent';
            return Promise.reject(
                new ParleyError({ code: 'unavailable', message, temporary: true }),
            );
        }
        return new Promise((resolve, reject) => {
            const entry = { lane, frame, sentAt: null, attempts: 0, inFlight: false };
            this.#entries.set(frame.key, { ...entry, resolve, reject });
            this.flush(lane);
        });
    }

    /** Sends what waits in that lane, where it may be sent. */
    flush(lane) {
        const { clock } = this.#env;
        if (!this.#isOpen(lane)) return this.#closed(lane);
        if (clock.now() < (this.#pausedUntil.get(lane) ?? 0)) return;
        this.#pausedUntil.delete(lane);
        for (const [key, entry] of this.#entries) {
            if (entry.lane !== lane || entry.inFlight) continue;
            if (entry.sentAt !== null && clock.now() - entry.sentAt > limits.keyLifeMs) {
                const message = 'offline for too long to know whether it was sent';
                this.#refuse(key, new ParleyError({ code: 'expired', message }));
                continue;
            }
            entry.sentAt ??= clock.now();
            entry.inFlight = true;
            this.#call(entry.frame, (error, ack) => this.#answered(key, entry, error, ack));
        }
    }

    /** Lanes that hold something. */
    lanes() {
        return new Set([...this.#entries.values()].map((entry) => entry.lane));
    }

    connectionLost() {
        for (const entry of this.#entries.values()) entry.inFlight = false;
    }

    refuseLane(lane, error) {
        for (const [key, entry] of this.#entries) if (entry.lane === lane) this.#refuse(key, error);
    }

    refuseAll(error) {
        for (const key of [...this.#entries.keys()]) this.#refuse(key, error);
    }

    #answered(key, entry, error, ack) {
        if (!this.#entries.has(key) || error?.code === 'disconnected') return;
        if (!error) {
            this.#entries.delete(key);
            return entry.resolve(ack);
        }
        entry.inFlight = false;
        // It crossed the word that the room was left.
        if (error.code === 'not_joined' && !this.#isOpen(entry.lane)) return this.flush(entry.lane);
        entry.attempts += 1;
        if (!error.temporary || entry.attempts >= limits.sendAttempts)
            return this.#refuse(key, error);
        const { clock, random } = this.#env;
        const retryInMs = error.retryAfterMs ?? backoffMs(entry.attempts, random);
        this.#pausedUntil.set(entry.lane, clock.now() + retryInMs);
        clock.setTimeout(() => this.flush(entry.lane), retryInMs);
        this.#delayed({ key, room: entry.lane, retryInMs, error });
    }

    #refuse(key, error) {
        const entry = this.#entries.get(key);
        this.#entries.delete(key);
        entry.reject(error);
    }
}
