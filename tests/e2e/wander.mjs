// One participant goes from door to door with nothing but the cursor; each door is left as soon as
// a few messages came through it.
export async function wander({ room, rounds, few }) {
    const base = `/api/v1/rooms/${room}`;
    const heard = [];
    let cursor;
    const record = (message) => {
        heard.push(message.offset);
        cursor = message.cursor;
    };
    const doors = {
        websocket: () =>
            new Promise((resolve, reject) => {
                const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/ws`);
                let count = 0;
                const hear = (message) => {
                    if (count >= few) return;
                    record(message);
                    if (++count < few) return;
                    socket.close();
                    resolve();
                };
                socket.onopen = () =>
                    socket.send(JSON.stringify({ type: 'join', id: 1, room, since: cursor }));
                socket.onmessage = ({ data }) => {
                    const frame = JSON.parse(data);
                    if (frame.type === 'joined') {
                        if (cursor && !frame.recovered) reject(new Error('websocket: a gap'));
                        frame.history.forEach(hear);
                    }
                    if (frame.type === 'message') hear(frame);
                };
                socket.onerror = () => reject(new Error('websocket failed'));
            }),
        longpoll: async () => {
            for (let count = 0; count < few; ) {
                const answer = await fetch(`${base}/messages?wait=20s&limit=3&since=${cursor}`);
                const page = await answer.json();
                if (!page.recovered) throw new Error('longpoll: a gap');
                page.messages.forEach(record);
                count += page.messages.length;
                cursor = page.cursor;
            }
        },
        sse: () =>
            new Promise((resolve, reject) => {
                const events = new EventSource(`${base}/events?since=${cursor}`);
                let count = 0;
                events.addEventListener('message', ({ data }) => {
                    if (count >= few) return;
                    record(JSON.parse(data));
                    if (++count < few) return;
                    events.close();
                    resolve();
                });
                events.addEventListener('gap', () => reject(new Error('sse: a gap')));
                events.addEventListener('joined', () => reject(new Error('sse: a gap')));
            }),
        rest: async () => {
            const answer = await fetch(`${base}/messages?limit=200&since=${cursor}`);
            const page = await answer.json();
            if (!page.recovered) throw new Error('rest: a gap');
            page.messages.forEach(record);
        },
    };
    const way = ['websocket', 'longpoll', 'sse', 'rest'];
    for (let round = 0; round < rounds; ++round) {
        for (const door of [...way, ...way.slice().reverse()]) await doors[door]();
    }
    return heard;
}
