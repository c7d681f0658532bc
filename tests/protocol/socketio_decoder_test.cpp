#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/socketio.hpp"

namespace parley::protocol {
namespace {

using testing::HasSubstr;
using Step = SocketDecoder::Step;

constexpr SocketDecoder::Limits limits{2, 10};

TEST(SocketDecoder, GivesAPacketOnceItsAttachmentsAreThere) {
    SocketDecoder decoder(limits);
    {
        const std::string text =
            R"(52-/custom,7["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])";
        EXPECT_EQ(decoder.feed_text(text), Step::need_more);
    }  // it keeps what it needs of the text
    EXPECT_TRUE(decoder.assembling());
    EXPECT_EQ(decoder.feed_binary("one"), Step::need_more);
    ASSERT_EQ(decoder.feed_binary(""), Step::packet);
    EXPECT_FALSE(decoder.assembling());
    EXPECT_EQ(decoder.packet().type, SocketType::binary_event);
    EXPECT_EQ(decoder.packet().name_space, "/custom");
    EXPECT_EQ(decoder.packet().id, 7U);
    EXPECT_EQ(decoder.packet().json,
              R"(["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])");
    EXPECT_THAT(decoder.attachments(), testing::ElementsAre("one", ""));
    // The next one has none of the last one's.
    ASSERT_EQ(decoder.feed_text(R"(2["y"])"), Step::packet);
    EXPECT_EQ(decoder.packet().json, R"(["y"])");
    EXPECT_TRUE(decoder.attachments().empty());
    ASSERT_EQ(decoder.feed_text(R"(50-["z"])"), Step::packet);
    EXPECT_EQ(decoder.packet().json, R"(["z"])");
    EXPECT_TRUE(decoder.attachments().empty());
}

TEST(SocketDecoder, RefusesTextBetweenAttachments) {
    SocketDecoder decoder(limits);
    EXPECT_EQ(decoder.feed_text(R"(51-["x"])"), Step::need_more);
    EXPECT_EQ(decoder.feed_text(R"(2["x"])"), Step::failed);
    EXPECT_THAT(decoder.error(), HasSubstr("attachments of the packet before"));
}

TEST(SocketDecoder, RefusesBinaryThatNobodyAnnounced) {
    SocketDecoder decoder(limits);
    EXPECT_EQ(decoder.feed_binary("x"), Step::failed);
    EXPECT_THAT(decoder.error(), HasSubstr("without a packet that announced it"));
    SocketDecoder after(limits);
    EXPECT_EQ(after.feed_text(R"(51-["x"])"), Step::need_more);
    EXPECT_EQ(after.feed_binary("x"), Step::packet);
    EXPECT_EQ(after.feed_binary("x"), Step::failed);
}

TEST(SocketDecoder, HoldsAttachmentsToTheirBounds) {
    SocketDecoder many(limits);
    EXPECT_EQ(many.feed_text(R"(53-["x"])"), Step::failed);
    EXPECT_THAT(many.error(), HasSubstr("0 to 2"));
    SocketDecoder exact(limits);
    EXPECT_EQ(exact.feed_text(R"(52-["x"])"), Step::need_more);
    EXPECT_EQ(exact.feed_binary("12345"), Step::need_more);
    EXPECT_EQ(exact.feed_binary("67890"), Step::packet);
    SocketDecoder large(limits);
    EXPECT_EQ(large.feed_text(R"(52-["x"])"), Step::need_more);
    EXPECT_EQ(large.feed_binary("12345"), Step::need_more);
    EXPECT_EQ(large.feed_binary("678901"), Step::failed);
    EXPECT_THAT(large.error(), HasSubstr("more than 10 bytes together"));
}

TEST(SocketDecoder, SaysWhatWasWrongWithAPacket) {
    SocketDecoder decoder(limits);
    EXPECT_EQ(decoder.feed_text("2{}"), Step::failed);
    EXPECT_EQ(decoder.error(), "an event carries an array");
}

}  // namespace
}  // namespace parley::protocol
