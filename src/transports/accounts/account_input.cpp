#include "transports/accounts/account_input.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <utility>
#include <vector>

namespace parley::transports {
namespace {

namespace json = boost::json;

constexpr std::int64_t ttl_seconds_max = std::int64_t{10} * 365 * 86'400;

// Reads the members of an object, and keeps what is wrong with the first of them that is.
class Reader {
public:
    explicit Reader(std::string_view text) {
        boost::system::error_code failure;
        json::value value = json::parse(text, failure);
        if (failure) {
            problem_ = "the body is not JSON: " + failure.message();
        } else if (!value.is_object()) {
            problem_ = "the body must be a JSON object";
        } else {
            object_ = std::move(value.get_object());
        }
    }

    std::string text(std::string_view name) {
        const json::value* const value = find(name);
        if (value != nullptr && value->is_string()) return std::string(value->get_string());
        complain(name, value == nullptr ? "is missing" : "must be a string");
        return {};
    }
    std::optional<std::vector<std::string>> texts(std::string_view name) {
        const json::value* const value = find(name);
        if (value == nullptr) return std::nullopt;
        std::vector<std::string> texts;
        if (!value->is_array()) complain(name, "must be a list of strings");
        for (std::size_t i = 0; value->is_array() && i < value->get_array().size(); ++i) {
            const json::value& one = value->get_array()[i];
            if (!one.is_string()) complain(name, "must be a list of strings");
            if (one.is_string()) texts.emplace_back(one.get_string());
        }
        return texts;
    }
    std::optional<std::int64_t> number(std::string_view name, std::int64_t most) {
        const json::value* const value = find(name);
        if (value == nullptr) return std::nullopt;
        if (value->is_int64() && value->get_int64() >= 1 && value->get_int64() <= most) {
            return value->get_int64();
        }
        complain(name, "must be an integer from 1 to " + std::to_string(most));
        return std::nullopt;
    }
    void complain(std::string_view name, std::string_view what) {
        if (!problem_.empty()) return;
        problem_.append("\"").append(name).append("\" ").append(what);
    }
    template <typename T>
    ReadAccount<T> finish(T&& read) {
        if (!problem_.empty()) return {boost::system::in_place_error, std::move(problem_)};
        return std::move(read);
    }

private:
    // Null where it is not there, or `null`.
    const json::value* find(std::string_view name) const {
        const json::value* const value = object_.if_contains(name);
        return value == nullptr || value->is_null() ? nullptr : value;
    }

    json::object object_;
    std::string problem_;
};

}  // namespace

ReadAccount<core::Register> read_register(std::string_view json) {
    Reader reader(json);
    core::Register read;
    read.name = reader.text("name");
    read.password = reader.text("password");
    return reader.finish(std::move(read));
}

ReadAccount<core::PasswordSignIn> read_sign_in(std::string_view json) {
    Reader reader(json);
    core::PasswordSignIn read;
    read.name = reader.text("name");
    read.password = reader.text("password");
    return reader.finish(std::move(read));
}

ReadAccount<core::ChangePassword> read_change_password(std::string_view json, core::UserPtr user) {
    Reader reader(json);
    core::ChangePassword read;
    read.user = std::move(user);
    read.password = reader.text("password");
    read.new_password = reader.text("new_password");
    return reader.finish(std::move(read));
}

ReadAccount<core::MakeKey> read_make_key(std::string_view json, core::UserPtr user) {
    Reader reader(json);
    core::MakeKey read;
    read.user = std::move(user);
    read.label = reader.text("label");
    if (const auto scopes = reader.texts("scopes")) {
        read.reads = read.writes = false;
        for (const auto& scope : *scopes) {
            if (scope != "read" && scope != "send") {
                reader.complain("scopes", R"(must be a list of "read" and "send")");
            }
            read.reads = read.reads || scope == "read";
            read.writes = read.writes || scope == "send";
        }
    }
    read.rooms = reader.texts("rooms").value_or(std::vector<std::string>());
    if (const auto ttl = reader.number("ttl", ttl_seconds_max)) {
        read.ttl = std::chrono::seconds(*ttl);
    }
    return reader.finish(std::move(read));
}

}  // namespace parley::transports
