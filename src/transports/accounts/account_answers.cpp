#include "transports/accounts/account_answers.hpp"

#include <string>
#include <vector>

#include "protocol/json_append.hpp"
#include "transports/credential.hpp"
#include "transports/rest/rest_answers.hpp"

namespace parley::transports {
namespace {

using protocol::append_string;

void append_time(std::string& out, std::string_view name, const std::optional<core::WallTime>& at) {
    if (at) append_string(out, name, core::format_rfc3339(*at));
}

void append_texts(std::string& out, std::string_view name, const std::vector<std::string>& texts) {
    protocol::append_array(out, name, texts, [](std::string& to, const std::string& text) {
        protocol::append_json_string(to, text);
    });
}

void append_scopes(std::string& out, bool reads, bool writes) {
    std::vector<std::string> scopes;
    if (reads) scopes.emplace_back("read");
    if (writes) scopes.emplace_back("send");
    append_texts(out, ",\"scopes\":", scopes);
}

void append_key(std::string& out, const core::ListedKey& key) {
    append_string(out, "{\"id\":", key.id);
    append_string(out, ",\"label\":", key.label);
    append_scopes(out, key.reads, key.writes);
    if (!key.rooms.empty()) append_texts(out, ",\"rooms\":", key.rooms);
    append_time(out, ",\"created_at\":", key.created);
    append_time(out, ",\"expires_at\":", key.expires);
    append_time(out, ",\"used_at\":", key.used);
    out.push_back('}');
}

struct Render {
    const AccountAnswerStyle& style;

    HttpResponse operator()(const core::Done&) const {
        HttpResponse response;
        response.status = 204;
        if (style.ends_cookie) {
            response.headers.emplace_back("Set-Cookie", ended_session_cookie(style.secure));
        }
        return response;
    }
    HttpResponse operator()(const protocol::User& user) const {
        HttpResponse response = json_answer(201);
        protocol::append_user(response.body, "{\"user\":", user);
        response.body.push_back('}');
        return response;
    }
    HttpResponse operator()(const core::SignedInSession& session) const {
        HttpResponse response = json_answer(200);
        std::string& body = response.body;
        append_string(body, "{\"token\":", session.token);
        protocol::append_user(body, ",\"user\":", session.user);
        append_time(body, ",\"expires_at\":", session.expires);
        body.push_back('}');
        if (style.sets_cookie) {
            const auto left = std::chrono::floor<std::chrono::seconds>(session.expires - style.now);
            response.headers.emplace_back("Set-Cookie",
                                          session_cookie(session.token, left, style.secure));
        }
        return response;
    }
    HttpResponse operator()(const core::MadeKey& made) const {
        HttpResponse response = json_answer(201);
        append_string(response.body, "{\"token\":", made.token);
        response.body += ",\"key\":";
        append_key(response.body, made.key);
        response.body.push_back('}');
        return response;
    }
    HttpResponse operator()(const std::vector<core::ListedKey>& keys) const {
        HttpResponse response = json_answer(200);
        protocol::append_array(response.body, "{\"keys\":", keys, append_key);
        response.body.push_back('}');
        return response;
    }
};

}  // namespace

HttpResponse answer_account(core::AccountAnswer&& answer, const AccountAnswerStyle& style) {
    if (!answer) return answer_error(answer.error());
    return std::visit(Render{style}, *answer);
}

HttpResponse answer_identity(const core::User& user) {
    HttpResponse response = json_answer(200);
    std::string& body = response.body;
    protocol::append_user(body, "{\"user\":", user.who);
    if (const core::Grant* const grant = user.grant()) {
        append_string(body, ",\"by\":", core::name_of(grant->kind));
        append_scopes(body, grant->reads, grant->writes);
        if (!grant->all_rooms) append_texts(body, ",\"rooms\":", grant->rooms);
        append_time(body, ",\"expires_at\":", grant->expires);
    }
    body.push_back('}');
    return response;
}

}  // namespace parley::transports
