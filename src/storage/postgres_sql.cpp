#include "storage/postgres_sql.hpp"

namespace parley::storage::postgres_sql {

const PostgresStatement open_rooms{
    "open_rooms",
    "WITH asked AS MATERIALIZED ("
    "  SELECT * FROM unnest($1::text[], $2::text[]) AS asked(name, fresh)),"
    " renewed AS (UPDATE parley_rooms AS r SET epoch = asked.fresh, run = $3::int8 FROM asked"
    "  WHERE r.name = asked.name AND r.run < $4::int8) "
    "SELECT r.name, r.id, CASE WHEN r.run < $4::int8 THEN asked.fresh ELSE r.epoch END,"
    " r.removed_to, r.indexed_to, last.\"offset\", last.bytes, r.run < $4::int8"
    " FROM asked JOIN parley_rooms AS r ON r.name = asked.name LEFT JOIN LATERAL ("
    "  SELECT \"offset\", bytes_before + octet_length(json) AS bytes FROM parley_messages"
    "  WHERE room = r.id ORDER BY \"offset\" DESC LIMIT 1) AS last ON true"};

const PostgresStatement make_rooms{
    "make_rooms",
    "INSERT INTO parley_rooms AS r (name, epoch, run)"
    " SELECT name, fresh, $3::int8 FROM unnest($1::text[], $2::text[]) AS asked(name, fresh)"
    " ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING name, id"};

const PostgresStatement insert_messages{
    "insert_messages",
    "INSERT INTO parley_messages (room, \"offset\", at, bytes_before, json)"
    " SELECT * FROM unnest($1::int8[], $2::int8[], $3::timestamptz[], $4::int8[], $5::text[])"};

const PostgresStatement stored_messages{
    "stored_messages",
    "SELECT m.room, m.\"offset\", m.json"
    " FROM unnest($1::int8[], $2::int8[]) AS asked(room, place) JOIN parley_messages AS m"
    "  ON m.room = asked.room AND m.\"offset\" = asked.place"};

const PostgresStatement hold_rooms{
    "hold_rooms",
    "SELECT FROM parley_rooms WHERE id = ANY ($1::int8[]) ORDER BY id FOR NO KEY UPDATE"};

// bytes_before stays as it was: to change it for all that follow is to write a whole room. What the
// room holds is read from its newest message, which no amendment is about: the publication that tells
// of it follows it.
const PostgresStatement amend_messages{
    "amend_messages",
    "UPDATE parley_messages AS m SET json = amended.json"
    " FROM unnest($1::int8[], $2::int8[], $3::text[]) AS amended(room, place, json)"
    " WHERE m.room = amended.room AND m.\"offset\" = amended.place"};

const PostgresStatement forget_words{
    "forget_words",
    "WITH marked AS (UPDATE parley_blocks AS b"
    "  SET words = array_to_tsvector(ARRAY['#any', '#anew', '#' || b.room])"
    "  FROM (SELECT DISTINCT room, (place - 1) / 64 AS block"
    "   FROM unnest($1::int8[], $2::int8[]) AS amended(room, place)) AS one"
    "  WHERE b.room = one.room AND b.block = one.block AND NOT b.words @@ '''#anew'''::tsquery"
    "  RETURNING b.room) "
    "SELECT room, count(*) FROM marked GROUP BY room"};

const PostgresStatement put_back{
    "put_back",
    "WITH back AS (UPDATE parley_messages AS m SET json = former.json"
    "  FROM unnest($1::int8[], $2::int8[], $3::text[]) AS former(room, place, json)"
    "  WHERE m.room = former.room AND m.\"offset\" = former.place AND m.json <> former.json"
    "  RETURNING m.room, (m.\"offset\" - 1) / 64 AS block) "
    "UPDATE parley_blocks AS b"
    " SET words = array_to_tsvector(ARRAY['#any', '#anew', '#' || b.room])"
    " FROM (SELECT DISTINCT room, block FROM back) AS one"
    " WHERE b.room = one.room AND b.block = one.block AND NOT b.words @@ '''#anew'''::tsquery"};

const PostgresStatement insert_keys{
    "insert_keys",
    "INSERT INTO parley_keys (room, \"user\", key, \"offset\", at)"
    " SELECT DISTINCT ON (room, who, key) room, who, key, place, at"
    " FROM unnest($1::int8[], $2::bytea[], $3::bytea[], $4::int8[], $5::timestamptz[])"
    "  AS said(room, who, key, place, at) ORDER BY room, who, key, place DESC"
    " ON CONFLICT (room, \"user\", key) DO UPDATE"
    " SET \"offset\" = excluded.\"offset\", at = excluded.at"};

const PostgresStatement unindex_behind{
    "unindex_behind",
    "UPDATE parley_rooms AS r SET indexed_to = least(indexed_to, kept.place / 64 * 64)"
    " FROM unnest($1::int8[], $2::int8[]) AS kept(room, place) WHERE r.id = kept.room"};

const PostgresStatement remove_blocks_behind{
    "remove_blocks_behind",
    "DELETE FROM parley_blocks AS b USING unnest($1::int8[], $2::int8[]) AS kept(room, place)"
    " WHERE b.room = kept.room AND b.block >= kept.place / 64"};

const PostgresStatement remove_messages_behind{
    "remove_messages_behind",
    "DELETE FROM parley_messages AS m USING unnest($1::int8[], $2::int8[]) AS kept(room, place)"
    " WHERE m.room = kept.room AND m.\"offset\" > kept.place"};

const PostgresStatement remove_keys_behind{
    "remove_keys_behind",
    "DELETE FROM parley_keys AS k USING unnest($1::int8[], $2::int8[]) AS kept(room, place)"
    " WHERE k.room = kept.room AND k.\"offset\" > kept.place"};

const PostgresStatement probe{"probe", "UPDATE parley_meta SET value = value WHERE name = 'clean'"};
const PostgresStatement mark_clean{"mark_clean",
                                   "UPDATE parley_meta SET value = 1 WHERE name = 'clean'"};

const PostgresStatement sessions{"sessions",
                                 "SELECT key, until, state FROM parley_sessions ORDER BY place"};
const PostgresStatement drop_sessions{"drop_sessions", "DELETE FROM parley_sessions"};
const PostgresStatement keep_sessions{
    "keep_sessions",
    "INSERT INTO parley_sessions (key, until, state)"
    " SELECT * FROM unnest($1::bytea[], $2::timestamptz[], $3::bytea[])"};

const PostgresStatement newest{"newest",
                               "SELECT \"offset\", json FROM parley_messages"
                               " WHERE room = $1::int8 AND \"offset\" <= $3::int8"
                               " ORDER BY \"offset\" DESC LIMIT $2::int8"};

const PostgresStatement keys{
    "keys",
    "SELECT \"user\", key, \"offset\", at FROM parley_keys"
    " WHERE room = $1::int8 AND at > $2::timestamptz AND \"offset\" <= $4::int8"
    " ORDER BY at DESC, \"offset\" DESC LIMIT $3::int8"};

const PostgresStatement page_before{
    "page_before",
    "SELECT \"offset\", json, (SELECT epoch FROM parley_rooms WHERE name = $1::text)"
    " FROM parley_messages WHERE room = (SELECT id FROM parley_rooms WHERE name = $1::text)"
    " AND \"offset\" < $2::int8 AND \"offset\" <= $4::int8 ORDER BY \"offset\" DESC"
    " LIMIT $3::int8"};

const PostgresStatement page_after{
    "page_after",
    "SELECT \"offset\", json, (SELECT epoch FROM parley_rooms WHERE name = $1::text)"
    " FROM parley_messages WHERE room = (SELECT id FROM parley_rooms WHERE name = $1::text)"
    " AND \"offset\" > $2::int8 AND \"offset\" <= $4::int8 ORDER BY \"offset\""
    " LIMIT $3::int8"};

// A block may hold the words, wherever they stand in it, or in the case of `#any` anything. A message
// may hold them where they are part of its text, which is tested first since it costs less; it does
// where PostgreSQL finds them in it, phrases too. Where $6 is not 0, only so many of the newest blocks
// are looked through, without the index.
const PostgresStatement search{
    "search",
    "WITH r AS MATERIALIZED (SELECT id, epoch, indexed_to / 64 AS blocks,"
    "  (SELECT max(\"offset\") FROM parley_messages WHERE room = rooms.id) AS last"
    "  FROM parley_rooms AS rooms WHERE name = $1::text),"
    " asked AS MATERIALIZED (SELECT to_tsquery('simple', $4::text) AS query),"
    " q AS MATERIALIZED (SELECT query,"
    "  (regexp_replace(query::text, '<(-|[0-9]+)>', '&', 'g')::tsquery || '''#any'''::tsquery)"
    "   && quote_literal('#' || (SELECT id FROM r))::tsquery AS words,"
    "  ARRAY(SELECT '%' || replace(replace(replace(word, '\\', '\\\\'), '%', '\\%'), '_', '\\_')"
    "    || '%' FROM unnest(tsvector_to_array(to_tsvector('simple', $3::text))) AS word) AS parts"
    "  FROM asked) "
    "SELECT found.\"offset\", found.json, (SELECT epoch FROM r) FROM ("
    " SELECT block FROM (SELECT block FROM r, generate_series(CASE WHEN $6::int8 = 0 THEN r.blocks"
    "    ELSE greatest(0, (least(r.last, $2::int8 - 1) - 1) / 64 - $6::int8 + 1) END,"
    "    (least(r.last, $2::int8 - 1) - 1) / 64) AS block"
    "  UNION ALL SELECT block FROM parley_blocks WHERE $6::int8 = 0"
    "   AND room = (SELECT id FROM r) AND words @@ (SELECT words FROM q)"
    "   AND block < (SELECT blocks FROM r)) AS either"
    " WHERE block <= ($2::int8 - 2) / 64 ORDER BY block DESC) AS candidate"
    " CROSS JOIN LATERAL (SELECT \"offset\", json FROM ("
    "   SELECT \"offset\", json, parley_said(json) AS said FROM parley_messages"
    "   WHERE room = (SELECT id FROM r) AND \"offset\" > candidate.block * 64"
    "   AND \"offset\" <= candidate.block * 64 + 64 AND \"offset\" < $2::int8 OFFSET 0) AS message"
    "  WHERE said LIKE ALL ((SELECT parts FROM q)::text[])"
    "  AND to_tsvector('simple', said) @@ (SELECT query FROM q)"
    "  ORDER BY \"offset\" DESC) AS found LIMIT $5::int8"};

const PostgresStatement lock_room{
    "lock_room", "SELECT FROM parley_rooms WHERE name = $1::text FOR NO KEY UPDATE"};

// A block that is to be noted anew is found by the words that forget_words gives it, which are the
// room's alone. Its bytes are counted as they are now: bytes_before knows nothing of amendments, and
// a long message is not read for its length.
const PostgresStatement index_blocks{
    "index_blocks",
    "WITH r AS MATERIALIZED (SELECT id, last,"
    "  least(last / 64 * 64, greatest(indexed_to, removed_to / 64 * 64)) AS first,"
    "  least(last / 64 * 64, greatest(indexed_to, removed_to / 64 * 64) + $2::int8) AS upto"
    "  FROM (SELECT id, indexed_to, removed_to, coalesce((SELECT max(\"offset\")"
    "    FROM parley_messages WHERE room = rooms.id), 0) AS last"
    "   FROM parley_rooms AS rooms WHERE name = $1::text) AS found),"
    " forgotten AS MATERIALIZED (SELECT block FROM parley_blocks"
    "  WHERE words @@ (SELECT ('''#anew'' & ''#' || id || '''')::tsquery FROM r)"
    "   AND block < (SELECT first / 64 FROM r)),"
    " candidates AS MATERIALIZED (SELECT block, anew,"
    "   coalesce((SELECT sum(octet_length(json)) FROM parley_messages"
    "    WHERE room = (SELECT id FROM r) AND \"offset\" > block * 64"
    "     AND \"offset\" <= block * 64 + 64), 0) AS bytes FROM ("
    "    SELECT block, false AS anew"
    "     FROM r, generate_series(first / 64, upto / 64 - 1) AS block"
    "    UNION ALL (SELECT block, true FROM forgotten ORDER BY block DESC"
    "     LIMIT (SELECT ($2::int8 - (upto - first)) / 64 FROM r))) AS either),"
    " blocks AS MATERIALIZED (SELECT block, anew FROM (SELECT block, anew, sum(bytes)"
    "   OVER (ORDER BY anew, CASE WHEN anew THEN -block ELSE block END) - bytes AS before"
    "   FROM candidates) AS one WHERE before < $3::int8),"
    " said AS MATERIALIZED (SELECT block, parley_said(json) AS said"
    "  FROM blocks LEFT JOIN parley_messages ON room = (SELECT id FROM r)"
    "   AND \"offset\" > block * 64 AND \"offset\" <= block * 64 + 64),"
    " noted AS (INSERT INTO parley_blocks (room, block, words) SELECT (SELECT id FROM r), block,"
    "  CASE WHEN coalesce(sum(octet_length(said)), 0) < 250000"
    "   THEN strip(to_tsvector('simple', coalesce(string_agg(said, ' '), '')))"
    "   ELSE array_to_tsvector(ARRAY['#any']) END"
    "  || array_to_tsvector(ARRAY['#' || (SELECT id FROM r)])"
    "  FROM said GROUP BY block"
    "  ON CONFLICT (room, block) DO UPDATE SET words = excluded.words),"
    " reached AS (SELECT id, first + 64 * (SELECT count(*) FROM blocks WHERE NOT anew) AS upto"
    "  FROM r),"
    " moved AS (UPDATE parley_rooms SET indexed_to = reached.upto FROM reached"
    "  WHERE parley_rooms.id = reached.id AND reached.upto > indexed_to),"
    " done AS (SELECT 64 * count(*) AS messages FROM blocks) "
    "SELECT reached.upto,"
    " last / 64 * 64 - first + 64 * (SELECT count(*) FROM forgotten) - done.messages,"
    " done.messages FROM r, reached, done"};

const PostgresStatement remove_oldest{
    "remove_oldest",
    "WITH r AS MATERIALIZED (SELECT id FROM parley_rooms WHERE name = $1::text),"
    " last AS MATERIALIZED (SELECT \"offset\" AS place, bytes_before + octet_length(json) AS bytes"
    "  FROM parley_messages WHERE room = (SELECT id FROM r) ORDER BY \"offset\" DESC LIMIT 1),"
    " oldest AS MATERIALIZED (SELECT \"offset\","
    "   ($2::int8 > 0 AND \"offset\" <= (SELECT place FROM last) - $2::int8)"
    "   OR ($3::int8 > 0 AND bytes_before < (SELECT bytes FROM last) - $3::int8)"
    "   OR at < $4::timestamptz AS goes"
    "  FROM parley_messages WHERE room = (SELECT id FROM r) ORDER BY \"offset\" LIMIT $5::int8),"
    " bound AS MATERIALIZED (SELECT coalesce(min(\"offset\") FILTER (WHERE NOT goes) - 1,"
    "   max(\"offset\")) AS upto FROM oldest),"
    " gone AS (DELETE FROM parley_messages AS m USING bound"
    "  WHERE m.room = (SELECT id FROM r) AND m.\"offset\" <= bound.upto RETURNING 1),"
    " blocks AS (DELETE FROM parley_blocks AS b USING bound"
    "  WHERE b.room = (SELECT id FROM r) AND b.block < bound.upto / 64),"
    " noted AS (UPDATE parley_rooms SET removed_to = bound.upto FROM bound"
    "  WHERE id = (SELECT id FROM r) AND bound.upto > removed_to) "
    "SELECT count(*) FROM gone"};

const PostgresStatement remove_keys{
    "remove_keys",
    "WITH gone AS (DELETE FROM parley_keys WHERE ctid = ANY (ARRAY("
    "  SELECT ctid FROM parley_keys WHERE at < $1::timestamptz ORDER BY at LIMIT $2::int8))"
    " RETURNING 1) SELECT count(*) FROM gone"};

const PostgresStatement next_rooms{
    "next_rooms",
    "SELECT id, name, coalesce((SELECT max(\"offset\") FROM parley_messages WHERE room = r.id), 0)"
    "  - greatest(indexed_to, removed_to) + 64 * coalesce(forgotten.blocks, 0)"
    " FROM parley_rooms AS r LEFT JOIN (SELECT room, count(*) AS blocks FROM parley_blocks"
    "  WHERE words @@ '''#anew'''::tsquery GROUP BY room) AS forgotten ON forgotten.room = r.id"
    " WHERE id > $1::int8 ORDER BY id LIMIT $2::int8"};

}  // namespace parley::storage::postgres_sql
