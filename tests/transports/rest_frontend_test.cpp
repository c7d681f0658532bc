// The REST interface as its callers meet it: what each call answers, and each refusal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "transports/rest/rest_routes.hpp"
#include "transports/rest_client.hpp"
#include "transports/test_server.hpp"

namespace parley::transports {
namespace {

using test::RestAnswer;
using test::RestClient;
using test::TestServer;
using test::unlimited;
using testing::HasSubstr;

const std::string messages = "/api/v1/rooms/lobby/messages";

TEST(RestFrontend, PublishesWhatAFormOrJsonSays) {
    TestServer server(unlimited());
    RestClient client(server.port());
    const RestAnswer form = client.post(messages, "text=hello+there&name=ann");
    EXPECT_EQ(form.status, 201) << form.body;
    EXPECT_EQ(form.text("room"), "lobby");
    EXPECT_EQ(form.number("offset"), 1);
    const RestAnswer json =
        client.post(messages, R"({"data":{"a":[1]},"event":"move"})", "X-Parley-Name: bob\r\n");
    EXPECT_EQ(json.status, 201) << json.body;
    EXPECT_EQ(json.number("offset"), 2);
    EXPECT_EQ(json.header("Cache-Control"), "no-store");

    const RestAnswer page = client.get(messages);
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.text("cursor"), json.text("cursor"));
    EXPECT_FALSE(page.json().at("recovered").as_bool());
    const boost::json::value read = page.json();
    const auto& list = read.at("messages").as_array();
    ASSERT_EQ(list.size(), 2u);
    EXPECT_EQ(list[0].at("text"), "hello there");
    EXPECT_EQ(list[0].at("from").at("name"), "ann");
    EXPECT_EQ(list[1].at("data").at("a").at(0), 1);
    EXPECT_EQ(list[1].at("event"), "move");
    EXPECT_EQ(list[1].at("from").at("name"), "bob");
    EXPECT_EQ(client.get(form.header("Location")).json().at("messages").at(0), list[0]);
}

TEST(RestFrontend, PagesForwardsAndBackwards) {
    TestServer server(unlimited());
    RestClient client(server.port());
    std::vector<std::string> cursors;
    for (int i = 1; i <= 10; ++i) {
        cursors.push_back(client.post(messages, "text=" + std::to_string(i)).text("cursor"));
    }
    const auto texts = [](const RestAnswer& answer) {
        std::string all;
        const boost::json::value page = answer.json();
        for (const auto& message : page.at("messages").as_array()) {
            all += boost::json::value_to<std::string>(message.at("text")) + " ";
        }
        return all + (page.at("recovered").as_bool() ? "recovered " : "") +
               (page.at("more").as_bool() ? "more" : "");
    };
    EXPECT_EQ(texts(client.get(messages + "?limit=3")), "8 9 10 more");
    EXPECT_EQ(texts(client.get(messages + "?since=" + cursors[6])), "8 9 10 recovered ");
    EXPECT_EQ(texts(client.get(messages + "?since=" + cursors[2] + "&limit=2")),
              "4 5 recovered more");
    EXPECT_EQ(texts(client.get(messages + "?before=" + cursors[2])), "1 2 ");
    EXPECT_EQ(texts(client.get(messages + "?since=" + cursors[9])), "recovered ");
    EXPECT_EQ(texts(client.get(messages + "?since=zzzz:3&limit=1")), "10 more");
    EXPECT_EQ(texts(client.get(messages + "?since=&limit=1")), "10 more") << "as if left out";
}

TEST(RestFrontend, PublishesARepeatedKeyOnce) {
    TestServer server(unlimited());
    RestClient client(server.port());
    const std::string key = "Idempotency-Key: k-1\r\n";
    const std::string first = client.post(messages, "text=a&name=ann", key).body;
    EXPECT_EQ(client.post(messages, "text=a&name=ann", key).body, first);
    EXPECT_EQ(client.post(messages, "text=a&name=ann", "Idempotency-Key: \"k-1\"\r\n").body, first);
    EXPECT_EQ(client.post(messages, R"({"text":"a","name":"ann","key":"k-1"})").body, first);
    EXPECT_EQ(client.post(messages, "text=a&name=bob", key).number("offset"), 2);
    EXPECT_EQ(client.post(messages, "text=a&name=ann", "Idempotency-Key: k-2\r\n").number("offset"),
              3);
}

TEST(RestFrontend, EditsAndDeletesWhatOneHasSaid) {
    TestServer server(unlimited(2));
    RestClient client(server.port());
    const std::string ann = "X-Parley-Name: ann\r\n";
    const std::string bob = "X-Parley-Name: bob\r\n";
    client.post(messages, "text=helo", ann);
    client.post(messages, "text=world", ann);
    const std::string one = messages + "/1";
    const auto patch = [&](const std::string& path, const std::string& body,
                           const std::string& extra) {
        return client.ask("PATCH", path, body, "Content-Type: application/json\r\n" + extra);
    };
    const RestAnswer edited = patch(one, R"({"text":"hello"})", ann);
    EXPECT_EQ(edited.status, 200) << edited.body;
    EXPECT_EQ(edited.number("offset"), 3);
    EXPECT_EQ(edited.text("room"), "lobby");
    EXPECT_EQ(patch(one, R"({"text":"x"})", bob).status, 403);
    EXPECT_EQ(patch(messages + "/9", R"({"text":"x"})", ann).status, 404);
    EXPECT_EQ(patch(messages + "/3", R"({"text":"x"})", ann).status, 403);
    EXPECT_EQ(patch("/api/v1/rooms/nowhere/messages/1", R"({"text":"x"})", ann).status, 404);
    EXPECT_EQ(patch(one, "{}", ann).status, 400);
    EXPECT_EQ(patch(one, R"({"text":"a","data":1})", ann).status, 400);
    EXPECT_EQ(patch(messages + "/one", R"({"text":"x"})", ann).status, 400);
    const std::string key = "Idempotency-Key: k\r\n";
    EXPECT_EQ(client.ask("DELETE", messages + "/2", {}, bob).status, 403);
    const RestAnswer gone = client.ask("DELETE", messages + "/2?reason=typo", {}, ann + key);
    EXPECT_EQ(gone.status, 200) << gone.body;
    EXPECT_EQ(gone.number("offset"), 4);
    EXPECT_EQ(client.ask("DELETE", messages + "/2", {}, ann + key).body, gone.body);
    EXPECT_EQ(client.ask("DELETE", messages + "/2", {}, ann).status, 404);
    const boost::json::value page = client.get(messages).json();
    const auto& list = page.at("messages").as_array();
    ASSERT_EQ(list.size(), 4u);
    EXPECT_EQ(list[0].at("text"), "hello");
    EXPECT_EQ(list[0].at("edit"), 3);
    EXPECT_EQ(list[0].at("edited"), list[2].at("at"));
    EXPECT_FALSE(list[1].as_object().contains("text"));
    EXPECT_EQ(list[1].at("deleted"), list[3].at("at"));
    EXPECT_EQ(list[3].at("data").at("reason"), "typo");
    const boost::json::value chat = client.get("/api/chat/messages").json();
    EXPECT_EQ(chat.at("messages").as_array().size(), 2u) << "as plain pages show it";
    EXPECT_EQ(client.post(messages, R"({"text":"x","event":"edit"})", ann).status, 400);
}

TEST(RestFrontend, TellsWhoOneIs) {
    struct Row {
        std::string_view target;
        std::string_view body;
        std::string_view extra;
        std::string_view name;
    };
    TestServer server(unlimited());
    RestClient client(server.port());
    const std::string me = "/api/v1/rooms/lobby/members/me";
    for (const Row& row : {
             Row{"", R"({"name":"body"})", "X-Parley-Name: header\r\n", "body"},
             Row{"?name=query", R"({"name":"body"})", "", "body"},
             Row{"?name=query", "", "X-Parley-Name: header\r\n", "query"},
             Row{"?name=J%C3%B6rg+B", "", "", "J\xC3\xB6rg B"},
             Row{"", "", "X-Parley-Name: header\r\n", "header"},
             Row{"", "name=form", "Content-Type: application/x-www-form-urlencoded\r\n", "form"},
         }) {
        const RestAnswer answer =
            client.ask("PUT", me + std::string(row.target), row.body, row.extra);
        ASSERT_EQ(answer.status, 200) << answer.body;
        EXPECT_EQ(answer.json().at("user").at("name"), boost::json::value(row.name));
    }
    const RestAnswer guest = client.ask("PUT", me);
    EXPECT_THAT(guest.body, HasSubstr(R"("name":"guest-)"));
    RestClient other(server.port());
    EXPECT_EQ(other.ask("PUT", me).json().at("user"), guest.json().at("user"))
        << "the same guest from the same address";
}

TEST(RestFrontend, SaysThatThereAreNoAccounts) {
    TestServer server(unlimited());
    RestClient client(server.port());
    for (const std::string_view credentials : {"Bearer abc", "Basic YTpi", "x"}) {
        const RestAnswer answer =
            client.get("/api/v1/rooms", "Authorization: " + std::string(credentials) + "\r\n");
        EXPECT_EQ(answer.status, 401);
        EXPECT_EQ(answer.text("code"), "unauthorized");
        EXPECT_THAT(answer.text("detail"), HasSubstr("no accounts"));
        EXPECT_THAT(answer.header("WWW-Authenticate"), HasSubstr("Bearer"));
    }
}

struct RefusedCall {
    std::string_view method;
    std::string target;
    std::string body;
    std::string extra;
    int status;
    std::string_view code;
    std::string_view says;
};

const std::string json_type = "Content-Type: application/json\r\n";
const std::string form_type = "Content-Type: application/x-www-form-urlencoded\r\n";

std::vector<RefusedCall> malformed_bodies() {
    return {
        {"POST", messages, "", "", 400, "bad_request", "exactly one of"},
        {"POST", messages, "{", json_type, 400, "bad_request", "not JSON"},
        {"POST", messages, "[]", json_type, 400, "bad_request", "a JSON object"},
        {"POST", messages, "\"text\"", json_type, 400, "bad_request", "a JSON object"},
        {"POST", messages, "\xFF", json_type, 400, "bad_request", "not JSON"},
        {"POST", messages, R"({"text":1})", json_type, 400, "bad_request", "a string"},
        {"POST", messages, R"({"text":""})", json_type, 400, "bad_request", "not be empty"},
        {"POST", messages, R"({"text":"a","data":1})", json_type, 400, "bad_request", "both"},
        {"POST", messages, R"({"text":"a","name":1})", json_type, 400, "bad_request", "name"},
        {"POST", messages, R"({"text":"a","name":""})", json_type, 400, "bad_request", "a name"},
        {"POST", messages, R"({"text":"a","event":"gap"})", json_type, 400, "bad_request", "event"},
        {"POST", messages, "text=%", form_type, 400, "bad_request", "percent-encoded"},
        {"POST", messages, "text=%FF", form_type, 400, "bad_request", "percent-encoded"},
        {"POST", messages, "text=", form_type, 400, "bad_request", "not be empty"},
        {"POST", messages, "data={", form_type, 400, "bad_request", "\"data\" is not JSON"},
        {"POST", messages, "{\"text\":\"a\"}", form_type, 400, "bad_request", "exactly one of"},
        {"POST", messages, "text=a&name=+a", form_type, 400, "bad_request", "no blanks"},
        {"POST", messages, "text=a", form_type + "X-Parley-Name:\t\x01\r\n", 400, "bad_request",
         ""},
        {"POST", messages, "text=a", "Content-Type: text/plain\r\n", 415, "bad_request",
         "application/json"},
        {"POST", messages, "text=a", form_type + "Content-Encoding: gzip\r\n", 415, "bad_request",
         "not compressed"},
        {"POST", messages, "text=a",
         form_type + "Idempotency-Key: " + std::string(129, 'k') + "\r\n", 400, "bad_request",
         "at most 128 bytes"},
        {"POST", messages, "text=" + std::string(17 * 1024, 'x'), form_type, 413, "too_large",
         "at most 16384"},
        {"POST", "/api/v1/rooms/lobby/read", "", "", 400, "bad_request", "\"offset\" is missing"},
        {"POST", "/api/v1/rooms/lobby/read", "offset=-1", form_type, 400, "bad_request", "offset"},
        {"POST", "/api/v1/rooms/lobby/typing", "active=perhaps", form_type, 400, "bad_request",
         "true or false"},
    };
}

std::vector<RefusedCall> refused_targets() {
    return {
        {"GET", "/api/", "", "", 404, "not_found", "nothing at this path"},
        {"GET", "/api/v1/rooms/lobby/nothing", "", "", 404, "not_found", "nothing at this path"},
        {"GET", "/api/v1/rooms/a/b/messages", "", "", 404, "not_found", "nothing at this path"},
        {"GET", "/api/v1/rooms/nowhere/messages", "", "", 404, "not_found", "no such room"},
        {"GET", "/api/v1/rooms/nowhere/members", "", "", 404, "not_found", "no such room"},
        {"POST", "/api/v1/rooms/nowhere/typing", "", "", 404, "not_found", "no such room"},
        {"POST", "/api/v1/rooms/nowhere/read", "offset=1", form_type, 404, "not_found",
         "no such room"},
        {"GET", "/api/v1/rooms//messages", "", "", 400, "bad_request", "\"room\" must be"},
        {"GET", "/api/v1/rooms/-a/messages", "", "", 400, "bad_request", "\"room\" must be"},
        {"GET", "/api/v1/rooms/a%20b/messages", "", "", 400, "bad_request", "\"room\" must be"},
        {"GET", "/api/v1/rooms/%zz/messages", "", "", 400, "bad_request", "percent-encoded"},
        {"GET", "/api/v1/rooms/a%22b/messages", "", "", 400, "bad_request", "\"room\" must be"},
        {"GET", messages + "?since=7", "", "", 400, "bad_request", "a cursor"},
        {"GET", messages + "?limit=0", "", "", 400, "bad_request", "1 to 200"},
        {"GET", messages + "?limit=201", "", "", 400, "bad_request", "1 to 200"},
        {"GET", messages + "?limit=x", "", "", 400, "bad_request", "1 to 200"},
        {"GET", messages + "?since=a:1&before=a:2", "", "", 400, "bad_request", "not both"},
        {"GET", messages + "?since=%", "", "", 400, "bad_request", "percent-encoded"},
        {"GET", "/api/v1/rooms?limit=0", "", "", 400, "bad_request", "1 to 200"},
        {"GET", "/api/v1/rooms?limit=1x", "", "", 400, "bad_request", "1 to 200"},
        {"GET", "/api/v1/rooms?after=%", "", "", 400, "bad_request", "percent-encoded"},
        {"GET", messages, "", "Accept: text/html\r\n", 406, "bad_request", "application/json"},
        {"GET", messages, "", "Accept: application/json;q=0, */*\r\n", 406, "bad_request", ""},
    };
}

TEST(RestFrontend, RefusesWithAStatusACodeAndTheReason) {
    TestServer server(unlimited());
    RestClient client(server.port());
    ASSERT_EQ(client.post(messages, "text=there").status, 201);
    auto rows = malformed_bodies();
    for (auto& row : refused_targets()) rows.push_back(std::move(row));
    for (const RefusedCall& row : rows) {
        SCOPED_TRACE(row.target + " " + row.body.substr(0, 40) + " " + row.extra);
        // Each over a connection of its own: HTTP itself refuses some, and closes.
        const RestAnswer answer =
            RestClient(server.port()).ask(row.method, row.target, row.body, row.extra);
        EXPECT_EQ(answer.status, row.status) << answer.body;
        EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
        EXPECT_EQ(answer.text("code"), row.code);
        EXPECT_EQ(answer.number("status"), row.status);
        EXPECT_THAT(answer.text("detail"), HasSubstr(row.says));
    }
    EXPECT_EQ(client.get(messages).json().at("messages").as_array().size(), 1u);
    EXPECT_EQ(client.get("/api/v1/rooms").json().at("rooms").as_array().size(), 1u)
        << "nothing that was refused made a room";
}

TEST(RestFrontend, NamesTheMethodsThatAPathHas) {
    struct Row {
        std::string_view method, target, allow;
    };
    TestServer server(unlimited());
    RestClient client(server.port());
    for (const Row& row : {
             Row{"DELETE", "/api/v1/rooms", "GET, HEAD"},
             Row{"PUT", "/api/v1/rooms/a/messages", "GET, HEAD, POST"},
             Row{"GET", "/api/v1/rooms/a/members/me", "PUT, DELETE"},
             Row{"GET", "/api/v1/rooms/a/typing", "POST"},
             Row{"GET", "/api/chat/send", "POST"},
             Row{"BREW", "/api/v1/openapi.json", "GET, HEAD"},
         }) {
        const RestAnswer answer = client.ask(row.method, row.target);
        EXPECT_EQ(answer.status, 405) << row.target;
        EXPECT_EQ(answer.header("Allow"), row.allow);
        EXPECT_EQ(answer.header("Cache-Control"), "no-store");
    }
}

TEST(RestFrontend, AnswersHeadWhereItAnswersGet) {
    TestServer server(unlimited());
    RestClient client(server.port());
    ASSERT_EQ(client.post(messages, "text=there").status, 201);
    for (const RestRoute& route : rest_routes) {
        if (route.method != boost::beast::http::verb::get) continue;
        std::string target(route.pattern);
        if (const auto at = target.find("{room}"); at != std::string::npos) {
            target.replace(at, 6, "lobby");
        }
        const RestAnswer get = client.get(target);
        const RestAnswer head = client.ask("HEAD", target);
        EXPECT_EQ(head.status, get.status) << target;
        // In memory alone nothing is searched.
        EXPECT_EQ(get.status, target.ends_with("/search") ? 400U : 200U) << target;
        EXPECT_EQ(head.header("Content-Length"), std::to_string(get.body.size())) << target;
        EXPECT_EQ(head.body, "");
    }
}

TEST(RestFrontend, ASearchSaysWhatItExpects) {
    TestServer server(unlimited());
    RestClient client(server.port());
    ASSERT_EQ(client.post(messages, "text=there").status, 201);
    struct Row {
        std::string query;
        unsigned status;
        std::string says;
    };
    for (const Row& row : {Row{"", 400, "1 to 256 bytes"}, Row{"q=", 400, "1 to 256 bytes"},
                           Row{"q=" + std::string(257, 'a'), 400, "1 to 256 bytes"},
                           Row{"q=%ff", 400, "percent-encoded"}, Row{"q=a&limit=0", 400, "limit"},
                           Row{"q=a&limit=201", 400, "limit"}, Row{"q=a&before=7", 400, "cursor"},
                           Row{"q=a&limit=200&before=abc:7", 404, "memory alone"}}) {
        const RestAnswer answer = client.get("/api/v1/rooms/lobby/search?" + row.query);
        EXPECT_EQ(answer.status, row.status) << row.query << answer.body;
        EXPECT_NE(answer.body.find(row.says), std::string::npos) << answer.body;
    }
    EXPECT_EQ(client.get("/api/v1/rooms/nowhere/search?q=a").status, 404U);
}

TEST(RestFrontend, SpeaksTheWordsOfPlainChatPages) {
    TestServer server(unlimited());
    RestClient client(server.port());
    EXPECT_EQ(client.get("/api/chat/messages").body,
              R"({"room":"lobby","cursor":null,"recovered":false,"messages":[],"more":false})");
    EXPECT_EQ(client.get("/api/chat/users").body, R"({"count":0,"users":[]})");
    const RestAnswer sent = client.post("/api/chat/send", "username=bob&message=hi%21");
    EXPECT_EQ(sent.status, 201) << sent.body;
    EXPECT_EQ(client.post("/api/chat/send", R"({"username":"ann","text":"yo"})").status, 201);
    const std::string first = sent.text("cursor");
    const boost::json::value page = client.get("/api/chat/messages?since=" + first).json();
    EXPECT_TRUE(page.at("recovered").as_bool());
    const auto& message = page.at("messages").at(0).as_object();
    EXPECT_EQ(message.at("username"), "ann");
    EXPECT_EQ(message.at("text"), "yo");
    EXPECT_EQ(message.at("message"), "yo");
    EXPECT_EQ(message.at("offset"), 2);
    EXPECT_EQ(message.at("id"), page.at("cursor"));
    EXPECT_EQ(client.post("/api/chat/heartbeat", "username=bob").number("count"), 1);
    EXPECT_EQ(client.post("/api/chat/heartbeat", R"({"username":"ann"})").number("count"), 2);
    EXPECT_EQ(client.get("/api/chat/users").body, R"({"count":2,"users":["ann","bob"]})");
}

TEST(RestFrontend, ListsRoomsByNameAndPageByPage) {
    for (const std::uint32_t shards : {1U, 3U}) {
        TestServer server(unlimited(shards));
        RestClient client(server.port());
        std::vector<std::string> expected;
        for (int i = 10; i < 35; ++i) {
            const std::string room = "room-" + std::to_string(i);
            expected.push_back(room);
            ASSERT_EQ(client.post("/api/v1/rooms/" + room + "/messages", "text=a").status, 201);
        }
        std::vector<std::string> listed;
        std::string after;
        for (bool more = true; more;) {
            const RestAnswer answer = client.get("/api/v1/rooms?limit=4&after=" + after);
            const boost::json::value page = answer.json();
            EXPECT_LE(page.at("rooms").as_array().size(), 4u);
            for (const auto& room : page.at("rooms").as_array()) {
                listed.push_back(boost::json::value_to<std::string>(room.at("room")));
                EXPECT_EQ(room.at("last_offset"), 1);
                EXPECT_EQ(room.at("members"), 0);
            }
            more = page.at("more").as_bool();
            after = listed.back();
        }
        EXPECT_EQ(listed, expected);
    }
}

}  // namespace
}  // namespace parley::transports
