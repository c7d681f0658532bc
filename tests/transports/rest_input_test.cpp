#include "transports/rest/rest_input.hpp"

#include <gtest/gtest.h>

#include <boost/beast/http/field.hpp>

namespace parley::transports {
namespace {

namespace http = boost::beast::http;

TEST(RestInput, MakesAnObjectOfAForm) {
    struct Row {
        std::string_view form, json;
    };
    for (const Row& row : {
             Row{"", "{}"},
             Row{"&&", "{}"},
             Row{"text=hi", R"({"text":"hi"})"},
             Row{"text=a%22b+c%0A&name=J%C3%B6rg",
                 "{\"text\":\"a\\\"b c\\n\",\"name\":\"J\xC3\xB6rg\"}"},
             Row{"text=1&offset=12&limit=7", R"({"text":"1","offset":12,"limit":7})"},
             Row{"offset=x&limit=1e", R"({"offset":"x","limit":"1e"})"},
             Row{"active=true&active=false", R"({"active":true,"active":false})"},
             Row{"active=yes", R"({"active":"yes"})"},
             Row{"data=%7B%22a%22%3A%5B1%2C2%5D%7D", R"({"data":{"a":[1,2]}})"},
             Row{"data=null", R"({"data":null})"},
             Row{"since=&text=&message=", R"({"text":"","message":""})"},
             Row{"na%6De=ann", R"({"name":"ann"})"},
         }) {
        const FormFields fields = form_to_json(row.form);
        EXPECT_EQ(fields.problem, "") << row.form;
        EXPECT_EQ(fields.json, row.json) << row.form;
    }
}

TEST(RestInput, SaysWhatIsWrongWithAForm) {
    for (const std::string_view form : {"a=%", "a=%4", "a=%zz", "%=a", "a=%FF", "a=%C3"}) {
        EXPECT_EQ(form_to_json(form).problem, "the form is not percent-encoded UTF-8") << form;
    }
    for (const std::string_view form : {"data=%7B", "data=abc", "data=1+2", "data=%22"}) {
        EXPECT_EQ(form_to_json(form).problem.find("\"data\" is not JSON: "), 0u) << form;
    }
}

HttpRequest request_of(http::verb method, std::string_view type, std::string body) {
    HttpRequest request;
    request.method(method);
    if (!type.empty()) request.set(http::field::content_type, type);
    request.body() = std::move(body);
    return request;
}

std::string read(http::verb method, std::string_view type, std::string body,
                 std::string_view query = "") {
    const HttpRequest request = request_of(method, type, std::move(body));
    const auto input = read_rest_input(request, RestHeaders(request), query);
    if (const auto* const refusal = std::get_if<HttpResponse>(&input)) {
        return std::to_string(refusal->status);
    }
    return std::string(std::get<RestInput>(input).json());
}

TEST(RestInput, ReadsWhatTheTypeOfTheBodySays) {
    using enum http::verb;
    EXPECT_EQ(read(post, "application/json", R"({"a":1})"), R"({"a":1})");
    EXPECT_EQ(read(post, "Application/JSON; charset=utf-8", "x"), "x");
    EXPECT_EQ(read(post, "", R"({"a":1})"), R"({"a":1})");
    EXPECT_EQ(read(post, "application/x-www-form-urlencoded", "a=b"), R"({"a":"b"})");
    EXPECT_EQ(read(post, "application/x-www-form-urlencoded", "a=%"), "400");
    for (const std::string_view other : {"text/plain", "multipart/form-data; boundary=x", "json",
                                         "application/jsonl", "application/xml"}) {
        EXPECT_EQ(read(post, other, "a=b"), "415") << other;
        EXPECT_EQ(read(post, other, ""), "{}") << "there is nothing to be of that type";
    }
}

TEST(RestInput, ReadsTheQueryWhereNothingIsSent) {
    using enum http::verb;
    EXPECT_EQ(read(get, "", "", "limit=5&since=a:1"), R"({"limit":5,"since":"a:1"})");
    EXPECT_EQ(read(head, "text/plain", "ignored", "limit=5"), R"({"limit":5})");
    EXPECT_EQ(read(get, "", "", "since=%"), "400");
    EXPECT_EQ(read(post, "", "", "limit=5"), "{}") << "the query is no body";
    EXPECT_EQ(read(delete_, "", ""), "{}");
}

TEST(RestInput, TakesAKeyWithQuotesOrWithout) {
    for (const auto& [header, key] : {std::pair{"", ""},
                                      {"k", "k"},
                                      {"\"k\"", "k"},
                                      {"\"", "\""},
                                      {"\"\"", ""},
                                      {"a\"b", "a\"b"}}) {
        EXPECT_EQ(idempotency_key(header), key) << header;
    }
}

TEST(RestInput, FindsTheHeadersThatMatterInAnyCase) {
    HttpRequest request;
    EXPECT_FALSE(RestHeaders(request).has_credentials);
    EXPECT_FALSE(RestHeaders(request).name);
    for (const auto& [name, value] : {std::pair{"ACCEPT", "1"},
                                      {"content-type", "2"},
                                      {"Content-encoding", "3"},
                                      {"idempotency-KEY", "4"},
                                      {"x-parley-name", "5"},
                                      {"authorization", "6"},
                                      {"X", "7"}}) {
        request.set(name, value);
    }
    const RestHeaders headers(request);
    EXPECT_EQ(headers.accept, "1");
    EXPECT_EQ(headers.content_type, "2");
    EXPECT_EQ(headers.content_encoding, "3");
    EXPECT_EQ(headers.idempotency_key, "4");
    EXPECT_EQ(headers.name, "5");
    EXPECT_TRUE(headers.has_credentials);
}

TEST(RestInput, FindsAParameter) {
    EXPECT_EQ(find_parameter("a=1&b=x%20y&b=2", "b"), "x y");
    EXPECT_EQ(find_parameter("a=1", "b"), std::nullopt);
    EXPECT_EQ(find_parameter("b", "b"), "");
    EXPECT_EQ(find_parameter("b=%", "b"), std::nullopt);
}

}  // namespace
}  // namespace parley::transports
