#include "core/amendment.hpp"

#include <gtest/gtest.h>

#include "protocol/json_codec.hpp"

namespace parley::core {
namespace {

using protocol::Body;
using protocol::Message;

const protocol::Epoch epoch = *protocol::Epoch::parse("E1");
const UserPtr ann(new User({"id-ann", "ann"}));
const UserPtr bob(new User({"id-bob", "bob"}));

Message message(std::string event = {}) {
    return {"r", {epoch, 7}, ann->who, {Body::Kind::text, "hello"}, std::move(event), "T1"};
}

RetainedPtr kept(const Message& said) {
    std::string json;
    protocol::append_message(json, said);
    return Retained::make(said.cursor.offset, json);
}

Message read(const RetainedPtr& retained) {
    return std::get<Message>(protocol::decode_server_frame(retained->json())->message);
}

Amendment edit(std::string text) {
    return {"r", 7, Body{Body::Kind::text, std::move(text)}, {}, {}};
}
Amendment removal() {
    return {"r", 7, std::nullopt, "spam", {}};
}

std::string judged(const Amendment& asked, const Message& target, const UserPtr& user,
                   bool moderates = false) {
    const auto found = judge_amendment(asked, *kept(target), *user, moderates);
    return found ? "" : found.error().code;
}

TEST(Amendment, IsForTheAuthorAndForModeratorsToDelete) {
    EXPECT_EQ(judged(edit("x"), message(), ann), "");
    EXPECT_EQ(judged(removal(), message(), ann), "");
    EXPECT_EQ(judged(edit("x"), message(), bob), "forbidden");
    EXPECT_EQ(judged(removal(), message(), bob), "forbidden");
    EXPECT_EQ(judged(edit("x"), message(), bob, true), "forbidden")
        << "nobody's words but one's own";
    EXPECT_EQ(judged(removal(), message(), bob, true), "");
}

TEST(Amendment, IsOfMessagesAloneAndOfWhatIsThere) {
    EXPECT_EQ(judged(edit("x"), message("poll.vote"), ann), "");
    for (const char* event : {"edit", "delete", "topic"}) {
        EXPECT_EQ(judged(edit("x"), message(event), ann), "forbidden") << event;
        EXPECT_EQ(judged(removal(), message(event), ann, true), "forbidden") << event;
    }
    Message gone = message();
    gone.body = {};
    gone.deleted = "T2";
    EXPECT_EQ(judged(edit("x"), gone, ann), "not_found");
    EXPECT_EQ(judged(removal(), gone, ann), "not_found");
}

TEST(Amendment, IsPublishedWithTheOffsetOfWhatItIsAbout) {
    const auto said = publication_of(edit("new \"words\""));
    EXPECT_EQ(said.event, "edit");
    EXPECT_EQ(said.body, (Body{Body::Kind::data, R"({"offset":7,"text":"new \"words\""})"}));
    EXPECT_EQ(publication_of({"r", 7, Body{Body::Kind::data, "[1]"}, {}, "k"}).body.content,
              R"({"offset":7,"data":[1]})");
    EXPECT_EQ(publication_of({"r", 7, Body{Body::Kind::data, "[1]"}, {}, "k"}).key, "k");
    EXPECT_EQ(publication_of(removal()).event, "delete");
    EXPECT_EQ(publication_of(removal()).body.content, R"({"offset":7,"reason":"spam"})");
}

TEST(Amendment, PutsTheNewWordsInTheOldOnesPlace) {
    const auto amended = amended_by(edit("new"), message(), {epoch, 9}, "T2");
    ASSERT_EQ(amended.messages.size(), 1U);
    Message expected = message();
    expected.body.content = "new";
    expected.edited = "T2";
    expected.edit = 9;
    EXPECT_EQ(read(amended.messages[0]), expected);
    EXPECT_FALSE(amended.deleted);
}

TEST(Amendment, LeavesNothingOfWhatNobodyIsToRead) {
    Message once = message();
    once.body.content = "secret";
    once.edited = "T2";
    once.edit = 9;
    const auto again = amended_by(edit("third"), once, {epoch, 12}, "T3");
    const auto gone = amended_by(removal(), once, {epoch, 12}, "T3");
    for (const auto& amended : {again, gone}) {
        ASSERT_EQ(amended.messages.size(), 2U);
        const Message overtaken = read(amended.messages[0]);
        EXPECT_EQ(overtaken.cursor.offset, 9U);
        EXPECT_EQ(overtaken.event, "edit");
        EXPECT_EQ(overtaken.at, "T2");
        EXPECT_EQ(overtaken.from, ann->who);
        EXPECT_EQ(overtaken.body.content, R"({"offset":7})");
        for (const auto& one : amended.messages) {
            EXPECT_EQ(one->json().find("secret"), std::string_view::npos);
        }
    }
    const Message left = read(gone.messages[1]);
    EXPECT_EQ(left.deleted, "T3");
    EXPECT_EQ(left.at, "T1");
    EXPECT_EQ(left.edit, 0U);
    EXPECT_TRUE(left.edited.empty());
    EXPECT_EQ(gone.author, ann->who);
    EXPECT_TRUE(gone.deleted);
    EXPECT_EQ(gone.offset, 7U);
}

TEST(Amendment, GoesByTheEpochOfTheDay) {
    const auto amended =
        amended_by(edit("new"), message(), {*protocol::Epoch::parse("E2"), 9}, "T2");
    EXPECT_EQ(protocol::epoch_of_message(amended.messages[0]->json()), "E2");
}

TEST(Amendment, KnowsTheFilesThatAMessageNames) {
    const std::string one = "AAAAAAAAAAAAAAAAAAAAA1";
    const std::string two = "-_BBBBBBBBBBBBBBBBBBB2";
    using Found = std::vector<std::string>;
    EXPECT_EQ(files_named_in("see /api/v1/files/" + one), Found{one});
    EXPECT_EQ(files_named_in("https://host/api/v1/files/" + one + "?x=1 and /api/v1/files/" + two +
                             ". /api/v1/files/" + one),
              (Found{one, two}));
    EXPECT_EQ(files_named_in(R"({"url":"\/api\/v1\/files\/)" + one + "\"}"), Found{one});
    EXPECT_EQ(files_named_in("/api/v1/files/" + one + "x"), Found{});
    EXPECT_EQ(files_named_in("/api/v1/files/" + one.substr(1)), Found{});
    EXPECT_EQ(files_named_in("/api/v1/files/"), Found{});
    EXPECT_EQ(files_named_in(""), Found{});
    std::string many;
    for (std::size_t i = 0; i < 2 * amended_files_max; ++i) {
        many += "/api/v1/files/" + std::string(20, 'x') + std::to_string(10 + i) + " ";
    }
    EXPECT_EQ(files_named_in(many).size(), amended_files_max);
    std::vector<std::string> shown{one, two};
    strike_named_in(
        R"({"text":"no id: )" + std::string(21, 'a') + ' ' + std::string(44, 'b') + R"("})", shown);
    EXPECT_EQ(shown, (Found{one, two}));
    // Wherever it stands in a text.
    for (std::size_t before = 0; before < 50; ++before) {
        for (std::size_t after = 0; after < 50; ++after) {
            shown = {one, two};
            std::string text(before, 'x');
            if (before > 0) text.back() = '/';
            text += two;
            if (after > 0) text += '"' + std::string(after - 1, 'y');
            strike_named_in(text, shown);
            EXPECT_EQ(shown, Found{one}) << text;
        }
    }
    const auto gone = amended_by(
        removal(), {"r", {epoch, 7}, ann->who, {Body::Kind::text, "/api/v1/files/" + one}, {}, "T"},
        {epoch, 9}, "T2");
    EXPECT_EQ(gone.files, Found{one});
}

TEST(PendingAmendments, AreFoundAsTheLastOfThemLeavesAMessage) {
    PendingAmendments pending;
    const auto at = [](std::uint64_t offset, const char* json) {
        Amended amended;
        amended.messages.push_back(Retained::make(offset, json));
        return amended;
    };
    pending.add(10, at(3, "a"));
    pending.add(11, at(4, "b"));
    pending.add(12, at(3, "c"));
    EXPECT_EQ(pending.find(3)->json(), "c");
    EXPECT_EQ(pending.find(4)->json(), "b");
    EXPECT_EQ(pending.find(5), nullptr);
    EXPECT_FALSE(pending.take(11)) << "in their order";
    EXPECT_EQ(pending.take(10)->messages.at(0)->json(), "a");
    pending.drop_from(12);
    EXPECT_EQ(pending.find(3), nullptr);
    EXPECT_EQ(pending.find(4)->json(), "b");
    EXPECT_TRUE(pending.take(11));
    EXPECT_TRUE(pending.empty());
}

}  // namespace
}  // namespace parley::core
