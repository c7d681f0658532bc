#include "transports/tls_stream.hpp"

#include <gtest/gtest.h>

#include "transports/tls_pair.hpp"

namespace parley::transports::test {
namespace {

using Status = IoResult::Status;
using Step = TlsStream::Handshake;

constexpr int small_send_buffer = 4096;  // the kernel doubles it

std::string letters(std::size_t count) {
    std::string out(count, '\0');
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<char>('a' + i * 7 % 26);
    return out;
}

// Versions that differ in how a handshake ends and in how records are sealed.
const std::array versions{TLS1_2_VERSION, TLS1_3_VERSION};

TlsWish wish_for(int version) {
    TlsWish wish;
    wish.version_min = wish.version_max = version;
    return wish;
}

TEST(TlsStream, ShakesHandsHoweverTheHelloIsSplit) {
    TlsPair measured(plain_contexts());
    SSL_do_handshake(measured.client().ssl());
    const std::size_t size = measured.take_from_client().size();
    ASSERT_GT(size, 100U);
    for (std::size_t at = 1; at < size; ++at) {
        TlsPair pair(plain_contexts());
        SSL_do_handshake(pair.client().ssl());
        const std::string hello = pair.take_from_client();
        pair.give_to_server(hello.substr(0, at));
        ASSERT_EQ(pair.stream().handshake(), Step::wants_read) << at;
        pair.give_to_server(hello.substr(at));
        ASSERT_EQ(pair.stream().handshake(), Step::wants_read) << at;
        pair.give_to_client(pair.take_from_server());
        ASSERT_EQ(pair.shake_hands(), Step::done) << at;
    }
}

TEST(TlsStream, ReadsARecordHoweverItIsSplit) {
    for (const int version : versions) {
        TlsPair pair(plain_contexts(), wish_for(version));
        ASSERT_EQ(pair.shake_hands(), Step::done);
        const std::string text = letters(40);
        const std::size_t size = pair.client_seals(text).size();
        TlsPair fresh(plain_contexts(), wish_for(version));
        ASSERT_EQ(fresh.shake_hands(), Step::done);
        for (std::size_t at = 1; at < size; ++at) {
            const std::string record = fresh.client_seals(text);
            fresh.give_to_server(record.substr(0, at));
            EXPECT_EQ(fresh.read().status, Status::would_block) << at;
            fresh.give_to_server(record.substr(at));
            const auto read = fresh.read();
            EXPECT_EQ(read.status, Status::done) << at;
            EXPECT_EQ(read.text, text) << at;
        }
    }
}

TEST(TlsStream, ReadsSeveralRecordsAtOnceAndKeepsHalfOfOneForLater) {
    TlsPair pair(plain_contexts());
    ASSERT_EQ(pair.shake_hands(), Step::done);
    std::string first = pair.client_seals("one");
    first += pair.client_seals("two");
    const std::string third = pair.client_seals("three");
    pair.give_to_server(first + third.substr(0, 10));
    EXPECT_EQ(pair.read().text, "onetwo");

    // What is held is of no use yet: a wait that completed now would complete for ever.
    int waits = 0;
    pair.stream().wait_readable([&](const boost::system::error_code& error) {
        EXPECT_FALSE(error);
        ++waits;
    });
    pair.run_ready();
    EXPECT_EQ(waits, 0);
    pair.give_to_server(third.substr(10));
    pair.run_ready();
    EXPECT_EQ(waits, 1);
    EXPECT_EQ(pair.read().text, "three");
}

TEST(TlsStream, AWaitCompletesAtOnceForWhatIsReadAheadOrEnded) {
    TlsPair pair(plain_contexts());
    ASSERT_EQ(pair.shake_hands(), Step::done);
    const auto completes = [&] {
        bool done = false;
        pair.stream().wait_readable([&](const boost::system::error_code&) { done = true; });
        pair.run_ready();
        return done;
    };
    pair.give_to_server(pair.client_seals(letters(100)));
    std::array<char, 60> part;
    EXPECT_EQ(pair.stream().try_read(part).bytes, part.size());
    EXPECT_TRUE(completes());  // the kernel has nothing, OpenSSL has
    EXPECT_EQ(pair.read().text, letters(100).substr(60));

    SSL_shutdown(pair.client().ssl());
    pair.give_to_server(pair.take_from_client());
    EXPECT_EQ(pair.read().status, Status::ended);
    EXPECT_TRUE(completes());
    EXPECT_EQ(pair.read().status, Status::ended);
}

TEST(TlsStream, GathersAWriteIntoOneRecord) {
    TlsPair pair(plain_contexts());
    ASSERT_EQ(pair.shake_hands(), Step::done);
    const IoResult written = pair.write({"one ", "", "two ", letters(500), " three"});
    EXPECT_EQ(written.status, Status::done);
    EXPECT_EQ(written.bytes, 4U + 4 + 500 + 6);
    const std::string wire = pair.take_from_server();
    EXPECT_EQ(record_sizes(wire).size(), 1U);
    pair.give_to_client(wire);
    EXPECT_EQ(pair.client_reads(), "one two " + letters(500) + " three");
}

TEST(TlsStream, CutsWhatIsLongerIntoWholeRecords) {
    for (const std::size_t size :
         {tls_record_bytes - 1, tls_record_bytes, tls_record_bytes + 1, 2 * tls_record_bytes,
          std::size_t{40'000}, std::size_t{150'000}}) {
        for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, size / 2, size - 1}) {
            TlsPair pair(plain_contexts());
            ASSERT_EQ(pair.shake_hands(), Step::done);
            const std::string text = letters(size);
            const auto written = pair.write(
                {std::string_view(text).substr(0, cut), std::string_view(text).substr(cut)});
            EXPECT_EQ(written.bytes, size);
            const std::string wire = pair.take_from_server();
            EXPECT_LE(record_sizes(wire).size(), size / tls_record_bytes + 2) << size;
            pair.give_to_client(wire);
            EXPECT_TRUE(pair.client_reads() == text) << size << ' ' << cut;
        }
    }
}

// Writes all of it as connections do, offering the rest again whenever the peer has read a little.
void write_against_a_slow_reader(TlsPair& pair, std::string_view text, std::size_t offered_max,
                                 std::string& got, bool& was_blocked) {
    while (!text.empty()) {
        const std::string_view offered = text.substr(0, offered_max);
        const std::size_t half = offered.size() / 2;
        const IoResult written = pair.write({offered.substr(0, half), offered.substr(half)});
        ASSERT_NE(written.status, Status::failed);
        ASSERT_LE(written.bytes, offered.size());
        text.remove_prefix(written.bytes);
        if (written.bytes == offered.size()) continue;
        was_blocked = true;
        pair.give_to_client(pair.take_from_server());
        got += pair.client_reads();
    }
    // Nothing is owed: all that was reported has left.
    pair.give_to_client(pair.take_from_server());
    got += pair.client_reads();
}

TEST(TlsStream, FinishesTheRecordThatWasBegunBeforeAnythingElse) {
    for (const int version : versions) {
        for (const std::size_t offered_max :
             {std::size_t{1}, std::size_t{100}, std::size_t{5'000}, std::size_t{50'000}}) {
            TlsPair pair(plain_contexts(), wish_for(version), small_send_buffer);
            ASSERT_EQ(pair.shake_hands(), Step::done);
            const std::string text = letters(offered_max < 100 ? 3'000 : 300'000);
            std::string got;
            bool was_blocked = false;
            write_against_a_slow_reader(pair, text, offered_max, got, was_blocked);
            EXPECT_TRUE(was_blocked) << offered_max;
            EXPECT_TRUE(got == text) << offered_max;
        }
    }
}

// Several records leave by one call once a peer has taken all; wherever the kernel cuts that call,
// the rest follows whole.
TEST(TlsStream, SendsSeveralRecordsTogetherAndFinishesWhatIsCut) {
    for (const int version : versions) {
        for (const int send_buffer : {20'000, 50'000, 90'000}) {
            for (const std::size_t offered_max : {std::size_t{70'000}, std::size_t{200'000}}) {
                TlsPair pair(plain_contexts(), wish_for(version), send_buffer);
                ASSERT_EQ(pair.shake_hands(), Step::done);
                const std::string text = letters(1'000'000);
                std::string got;
                bool was_blocked = false;
                write_against_a_slow_reader(pair, text, offered_max, got, was_blocked);
                EXPECT_TRUE(was_blocked) << send_buffer;
                EXPECT_TRUE(got == text) << send_buffer << ' ' << offered_max;
            }
        }
    }
}

TEST(TlsStream, KeepsRecordsAsSmallAsThePeerAsked) {
    TlsWish wish;
    wish.max_fragment = 1;  // 512 bytes
    TlsPair pair(plain_contexts(), wish, small_send_buffer);
    ASSERT_EQ(pair.shake_hands(), Step::done);
    const std::string text = letters(100'000);
    std::string got;
    bool was_blocked = false;
    write_against_a_slow_reader(pair, text, 3'000, got, was_blocked);
    EXPECT_TRUE(was_blocked);
    EXPECT_TRUE(got == text);
    pair.write({letters(2'000)});
    for (const std::size_t size : record_sizes(pair.take_from_server())) EXPECT_LE(size, 512U + 32);
}

TEST(TlsStream, WhoIsBlockedMayOfferOtherBytesBehindTheOneThatIsOwed) {
    TlsPair pair(plain_contexts(), {}, small_send_buffer);
    ASSERT_EQ(pair.shake_hands(), Step::done);
    const std::string text = letters(16'000);
    const IoResult begun = pair.write({text});
    ASSERT_EQ(begun.status, Status::done);
    ASSERT_EQ(begun.bytes, text.size() - 1);  // sealed whole, of which the last byte is still owed
    EXPECT_EQ(pair.write({"?"}).status, Status::would_block);
    std::string got;
    const std::string rest = text.substr(begun.bytes) + "and something else";
    bool was_blocked = false;
    write_against_a_slow_reader(pair, rest, rest.size(), got, was_blocked);
    EXPECT_TRUE(got == text + "and something else") << got.size();
}

TEST(TlsStream, ReadsOnWhileAWriteIsBlocked) {
    TlsPair pair(plain_contexts(), {}, small_send_buffer);
    ASSERT_EQ(pair.shake_hands(), Step::done);
    const std::string text = letters(60'000);
    const IoResult begun = pair.write({text});
    ASSERT_LT(begun.bytes, text.size());
    pair.give_to_server(pair.client_seals("meanwhile"));
    bool readable = false;
    pair.stream().wait_readable([&](const boost::system::error_code&) { readable = true; });
    pair.run_ready();
    EXPECT_TRUE(readable);
    EXPECT_EQ(pair.read().text, "meanwhile");
}

TEST(TlsStream, ChangesKeysWhenThePeerAsksEvenWhileAWriteIsBlocked) {
    TlsPair pair(plain_contexts(), wish_for(TLS1_3_VERSION), small_send_buffer);
    ASSERT_EQ(pair.shake_hands(), Step::done);
    const std::string text = letters(30'000);
    std::string got;
    IoResult written = pair.write({text});
    ASSERT_LT(written.bytes, text.size());
    for (int i = 0; i < 3; ++i) {
        ASSERT_EQ(SSL_key_update(pair.client().ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
        pair.give_to_server(pair.client_seals("after the change"));
        EXPECT_EQ(pair.read().text, "after the change");
    }
    std::size_t sent = written.bytes;
    while (sent < text.size()) {
        pair.give_to_client(pair.take_from_server());
        got += pair.client_reads();
        sent += pair.write({std::string_view(text).substr(sent)}).bytes;
    }
    pair.give_to_client(pair.take_from_server());
    EXPECT_TRUE(got + pair.client_reads() == text);
}

TEST(TlsStream, AnswersOfItsOwnDoNotPileUpAgainstAPeerThatReadsNothing) {
    TlsPair pair(plain_contexts(), wish_for(TLS1_3_VERSION), small_send_buffer);
    ASSERT_EQ(pair.shake_hands(), Step::done);
    // Each change of keys is answered; nobody takes the answers.
    bool blocked = false;
    for (int i = 0; i < 5'000 && !blocked; ++i) {
        ASSERT_EQ(SSL_key_update(pair.client().ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
        pair.give_to_server(pair.client_seals("x"));
        blocked = pair.read().status == Status::would_block;
    }
    ASSERT_TRUE(blocked) << "it goes on reading";
    // It waits for the peer to take them, and goes on then.
    bool woken = false;
    pair.stream().wait_readable([&](const boost::system::error_code&) { woken = true; });
    pair.run_ready();
    EXPECT_FALSE(woken);
    pair.give_to_client(pair.take_from_server());
    pair.run_ready();
    EXPECT_TRUE(woken);
    EXPECT_EQ(pair.read().status, Status::done);
}

// A peer that has its keys changed until the answers wait for room, and that sends more than the
// server reads at once: OpenSSL holds what was read ahead, and must not be asked for it yet.
TEST(TlsStream, WaitsToWriteWhateverItHasReadAheadAndDoesNotSpin) {
    TlsPair pair(plain_contexts(), wish_for(TLS1_3_VERSION), small_send_buffer);
    ASSERT_EQ(pair.shake_hands(), Step::done);
    Status last = Status::done;
    for (int i = 0; i < 5'000 && last == Status::done; ++i) {
        ASSERT_EQ(SSL_key_update(pair.client().ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
        pair.give_to_server(pair.client_seals("xy"));
        char one = 0;
        last = pair.stream().try_read({&one, 1}).status;
    }
    ASSERT_EQ(last, Status::would_block);
    // However often it waits, nothing wakes it, and nothing is read, until the peer takes something.
    for (int i = 0; i < 3; ++i) {
        bool woken = false;
        pair.stream().wait_readable(
            [&](const boost::system::error_code& error) { woken = !error; });
        for (int turn = 0; turn < 3; ++turn) pair.run_ready();
        EXPECT_FALSE(woken);
        pair.stream().cancel();
        pair.run_ready();
        EXPECT_EQ(pair.read().status, Status::would_block);
    }
    pair.give_to_client(pair.take_from_server());
    bool woken = false;
    pair.stream().wait_readable([&](const boost::system::error_code& error) { woken = !error; });
    pair.run_ready();
    EXPECT_TRUE(woken);
    EXPECT_EQ(pair.read().status, Status::done);
}

// The writer owes the rest of a record; a reader that finds nothing waits for the peer's bytes and
// not for room, which would end its wait again and again.
TEST(TlsStream, AReaderBesideABlockedWriterWaitsForThePeerAlone) {
    TlsPair pair(plain_contexts(), {}, small_send_buffer);
    ASSERT_EQ(pair.shake_hands(), Step::done);
    const IoResult begun = pair.write({letters(60'000)});
    ASSERT_LT(begun.bytes, 60'000U);
    ASSERT_EQ(pair.read().status, Status::would_block);
    bool readable = false;
    bool writable = false;
    pair.stream().wait_readable([&](const boost::system::error_code&) { readable = true; });
    pair.stream().wait_writable([&](const boost::system::error_code&) { writable = true; });
    pair.give_to_client(pair.take_from_server());
    pair.run_ready();
    EXPECT_TRUE(writable);
    EXPECT_FALSE(readable);
    pair.give_to_server(pair.client_seals("now"));
    pair.run_ready();
    EXPECT_TRUE(readable);
    EXPECT_EQ(pair.read().text, "now");
}

TEST(TlsStream, SaysGoodbyeWhenItClosesAndWhenItShutsDown) {
    for (const bool half : {false, true}) {
        TlsPair pair(plain_contexts());
        ASSERT_EQ(pair.shake_hands(), Step::done);
        pair.write({"last words"});
        if (half) {
            pair.stream().shutdown_write();
        } else {
            pair.stream().close();
        }
        pair.give_to_client(pair.take_from_server());
        EXPECT_EQ(pair.client_reads(), "last words");
        EXPECT_TRUE(pair.client_was_told_the_end());
        EXPECT_TRUE(pair.server_ended());
        if (!half) continue;
        pair.give_to_server(pair.client_seals("mine"));
        EXPECT_EQ(pair.read().text, "mine");
    }
}

TEST(TlsStream, TakesAnEndWithoutAGoodbyeForAnEnd) {
    TlsPair pair(plain_contexts());
    ASSERT_EQ(pair.shake_hands(), Step::done);
    pair.give_to_server(pair.client_seals("last words"));
    pair.end_client();
    EXPECT_EQ(pair.read().text, "last words");
    EXPECT_EQ(pair.read().status, Status::ended);
    EXPECT_EQ(pair.write({"anybody?"}).status, Status::failed);
}

TEST(TlsStream, FailsOnARecordThatWasTamperedWith) {
    TlsPair pair(plain_contexts());
    ASSERT_EQ(pair.shake_hands(), Step::done);
    std::string record = pair.client_seals("true");
    record.back() = static_cast<char>(record.back() ^ 1);
    pair.give_to_server(record);
    EXPECT_EQ(pair.read().status, Status::failed);
    EXPECT_EQ(pair.read().status, Status::failed);
    EXPECT_EQ(pair.write({"x"}).status, Status::failed);
    EXPECT_EQ(ERR_peek_error(), 0U) << "left behind for the next connection to trip over";
}

TEST(TlsStream, DoesNotRenegotiate) {
    TlsPair pair(plain_contexts(), wish_for(TLS1_2_VERSION));
    ASSERT_EQ(pair.shake_hands(), Step::done);
    ASSERT_EQ(SSL_renegotiate(pair.client().ssl()), 1);
    SSL_do_handshake(pair.client().ssl());
    pair.give_to_server(pair.take_from_client());
    EXPECT_NE(pair.read().status, Status::done);
    pair.give_to_client(pair.take_from_server());
    EXPECT_NE(SSL_do_handshake(pair.client().ssl()), 1);
}

TEST(TlsStream, FailsTheHandshakeOnGarbageAndKnowsPlainHttp) {
    TlsPair garbage(plain_contexts());
    garbage.give_to_server(std::string(100, '\x7f'));
    EXPECT_EQ(garbage.stream().handshake(), Step::failed);
    EXPECT_NE(take_openssl_error(), "");
    for (const char* request :
         {"GET / HTTP/1.1\r\n\r\n", "POST /x HTTP/1.1\r\n\r\n", "HEAD / HTTP/1.0\r\n\r\n",
          "PUT /x HTTP/1.1\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\n\r\n"}) {
        TlsPair plain(plain_contexts());
        plain.give_to_server(request);
        EXPECT_EQ(plain.stream().handshake(), Step::plain_http) << request;
        EXPECT_EQ(plain.take_from_server(), "") << request;
        ERR_clear_error();
    }
}

TEST(TlsStream, MovesInTheMiddleOfThings) {
    TlsPair pair(plain_contexts(), {}, small_send_buffer);
    ASSERT_EQ(pair.shake_hands(), Step::done);
    const std::string text = letters(20'000);
    const IoResult begun = pair.write({text});
    ASSERT_LT(begun.bytes, text.size());
    TlsStream moved(std::move(pair.stream()));
    pair.stream() = std::move(moved);
    std::string got;
    std::size_t sent = begun.bytes;
    while (sent < text.size()) {
        pair.give_to_client(pair.take_from_server());
        sent += pair.write({std::string_view(text).substr(sent)}).bytes;
    }
    pair.give_to_client(pair.take_from_server());
    EXPECT_TRUE(pair.client_reads() == text);
}

}  // namespace
}  // namespace parley::transports::test
