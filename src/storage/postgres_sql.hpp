// The statements that the PostgreSQL store makes of its schema, to be prepared with the connection that
// they are for. Parameters are $1 …, in the order given; → the columns of what comes back.
//
// Path:     [statements] → PostgresStore, PostgresWriter, PostgresReader, PostgresSearcher,
//           PostgresKeeper
// Runs on:  nowhere: constants.
// Owned by: nobody.
// Bounds:   those that change many rows change as many as they are told.
#pragma once

#include "storage/postgres_connection.hpp"

namespace parley::storage::postgres_sql {

// $1 names, $2 fresh epochs, $3 this run, $4 void run: finds rooms; one whose epoch is void gets the
// fresh one. → name, id, epoch, removed_to, indexed_to, last offset, bytes said up to there, renewed
extern const PostgresStatement open_rooms;
// $1 names, $2 epochs, $3 this run → name, id
extern const PostgresStatement make_rooms;
// $1 room ids, $2 offsets, $3 times, $4 bytes before, $5 messages
extern const PostgresStatement insert_messages;
// $1 room ids, $2 offsets → room id, offset, message
extern const PostgresStatement stored_messages;
// $1 room ids: nobody indexes or shortens them until the transaction ends.
extern const PostgresStatement hold_rooms;
// $1 room ids, $2 offsets, $3 messages: those take the place of what is there. None twice.
extern const PostgresStatement amend_messages;
// $1 room ids, $2 offsets, of rooms that are held: throws away the words of the blocks that those
// messages are in. → room id, how many blocks of it had words
extern const PostgresStatement forget_words;
// $1 room ids, $2 offsets, $3 messages, of rooms that are held: both of these, where something else
// is there.
extern const PostgresStatement put_back;
// $1 room ids, $2 users, $3 keys, $4 offsets, $5 times
extern const PostgresStatement insert_keys;
// $1 room ids, $2 offsets: removes what lies behind them. The first one holds the rooms, so that nobody
// indexes them meanwhile.
extern const PostgresStatement unindex_behind;
extern const PostgresStatement remove_blocks_behind;
extern const PostgresStatement remove_messages_behind;
extern const PostgresStatement remove_keys_behind;
// Fails where nothing can be written.
extern const PostgresStatement probe;
extern const PostgresStatement mark_clean;

// → key, until when, state; they are removed
extern const PostgresStatement sessions;
extern const PostgresStatement drop_sessions;
// $1 keys, $2 until when, $3 states
extern const PostgresStatement keep_sessions;

// $1 room id, $2 how many, $3 up to which offset → offset, message; the newest first
extern const PostgresStatement newest;
// $1 room id, $2 since when, $3 how many, $4 up to which offset → user, key, offset, time; the
// newest first
extern const PostgresStatement keys;
// $1 room, $2 offset, $3 how many, $4 the last offset → offset, message, epoch
extern const PostgresStatement page_before;
extern const PostgresStatement page_after;

// $1 room, $2 before, $3 the words alone, $4 as a tsquery, $5 how many → offset, message, epoch; the
// newest first
extern const PostgresStatement search;
// $1 room: what follows in the transaction sees what whoever held the room before left behind.
extern const PostgresStatement lock_room;
// $1 room, $2 how many messages at most, $3 after how many bytes of them no further block is begun:
// notes the words of full blocks, and then anew those that were thrown away.
// → up to where the first is done, how many messages of either are left, how many were done
extern const PostgresStatement index_blocks;
// $1 room, $2 messages and $3 bytes that are kept (0: any number), $4 what was said before that goes,
// $5 how many at most → how many went
extern const PostgresStatement remove_oldest;
// $1 what was said before that goes, $2 how many at most → how many went
extern const PostgresStatement remove_keys;
// $1 room id, $2 how many at most: the rooms that follow.
// → id, name, messages whose words are not noted
extern const PostgresStatement next_rooms;

}  // namespace parley::storage::postgres_sql
