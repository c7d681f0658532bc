-- A database as parleyd with schema version 1 left it after a clean end, with durability sync.
CREATE TABLE parley_meta (name text PRIMARY KEY, value bigint NOT NULL);
CREATE TABLE parley_rooms (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run bigint NOT NULL,
    removed_to bigint DEFAULT 0 NOT NULL,
    epoch text NOT NULL,
    name text COLLATE "C" NOT NULL UNIQUE);
CREATE TABLE parley_messages (
    room bigint NOT NULL,
    "offset" bigint NOT NULL,
    at timestamptz NOT NULL,
    bytes_before bigint NOT NULL,
    json text NOT NULL,
    PRIMARY KEY (room, "offset"));
CREATE TABLE parley_keys (
    room bigint NOT NULL,
    "offset" bigint NOT NULL,
    at timestamptz NOT NULL,
    "user" bytea NOT NULL,
    key bytea NOT NULL,
    PRIMARY KEY (room, "user", key));
CREATE INDEX parley_keys_at ON parley_keys (at);
INSERT INTO parley_meta VALUES ('version', 1), ('run', 3), ('void_run', 0), ('clean', 1), ('sync', 1);
INSERT INTO parley_rooms (run, removed_to, epoch, name) VALUES (1, 0, 'E1', 'r'), (2, 5, 'E2', 'short');
INSERT INTO parley_messages
    SELECT 1, n, '2026-01-31 23:59:59.999Z', (n - 1) * 166,
        '{"type":"message","room":"r","offset":' || n || ',"cursor":"E1:' || n || '","from":{"id":"id","name":"ann"},"text":"hello ' ||
        CASE n WHEN 70 THEN 'wolf' ELSE 'fox' END || '","at":"2026-01-31T23:59:59.999Z"}'
    FROM generate_series(1, 200) AS n;
INSERT INTO parley_keys VALUES (1, 200, now(), 'ann', 'k');
