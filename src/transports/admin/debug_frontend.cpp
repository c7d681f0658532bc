// `/debug/sessions`, `/debug/rooms`: what weighs most now, `?top=20&by=lag|bytes`.
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

#include "core/inspection.hpp"
#include "core/shard.hpp"
#include "protocol/json_append.hpp"
#include "transports/admin/admin_frontends.hpp"
#include "transports/query_string.hpp"

namespace parley::transports::admin {
namespace {

using core::InspectedRoom;
using core::LaggingSession;
using core::Weight;

struct Question {
    std::size_t top = 20;
    Weight by = Weight::lag;
};

// What is asked, or the detail of a 400.
std::variant<Question, std::string_view> read_question(std::string_view query) {
    Question question;
    QueryParameter parameter;
    while (next_parameter(query, parameter)) {
        if (parameter.name == "top") {
            const auto digits = parameter.value;
            const bool number =
                !digits.empty() && digits.size() <= 4 &&
                std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
            question.top = number ? std::stoul(std::string(digits)) : 0;
            if (question.top < 1 || question.top > core::inspection_top_max) {
                return "top is a number from 1 to 1000";
            }
        } else if (parameter.name == "by") {
            if (parameter.value != "lag" && parameter.value != "bytes") {
                return "by is lag or bytes";
            }
            question.by = parameter.value == "lag" ? Weight::lag : Weight::bytes;
        } else {
            return "there are the parameters top and by";
        }
    }
    return question;
}

// What the shards answered. Kept by each question under way, since a stalled shard answers when
// nobody waits any more.
template <typename Row>
struct Answers {
    std::mutex mutex;
    std::condition_variable more;
    std::vector<std::optional<core::Inspected<Row>>> by_shard;
    std::size_t count = 0;
};

// Asks every shard and waits for all of them, at most debug_wait.
template <typename Row, typename Inspect>
std::vector<std::optional<core::Inspected<Row>>> ask_shards(const core::Hub& hub,
                                                            const Inspect& inspect) {
    const auto answers = std::make_shared<Answers<Row>>();
    answers->by_shard.resize(hub.shard_count());
    for (std::size_t i = 0; i < hub.shard_count(); ++i) {
        hub.shard(i).post([answers, inspect, i](core::Shard& shard) {
            auto answer = inspect(shard);
            const std::lock_guard lock(answers->mutex);
            answers->by_shard[i] = std::move(answer);
            ++answers->count;
            answers->more.notify_one();
        });
    }
    std::unique_lock lock(answers->mutex);
    answers->more.wait_for(lock, debug_wait,
                           [&] { return answers->count == answers->by_shard.size(); });
    return std::exchange(answers->by_shard, decltype(answers->by_shard)(hub.shard_count()));
}

void append_row(std::string& out, const LaggingSession& row) {
    protocol::append_string(out, R"({"user":{"id":)", row.user_id);
    protocol::append_string(out, R"(,"name":)", row.user_name);
    protocol::append_string(out, R"(},"address":)", row.address);
    protocol::append_string(out, R"(,"transport":)", row.transport);
    protocol::append_number(out, R"(,"shard":)", row.shard);
    protocol::append_number(out, R"(,"rooms":)", row.rooms);
    protocol::append_string(out, R"(,"room":)", row.room);
    protocol::append_number(out, R"(,"lag":)", row.lag);
    protocol::append_number(out, R"(,"bytes":)", row.lag_bytes);
    out += '}';
}

void append_row(std::string& out, const InspectedRoom& row) {
    protocol::append_string(out, R"({"room":)", row.room);
    protocol::append_number(out, R"(,"shard":)", row.shard);
    protocol::append_boolean(out, R"(,"home":)", row.home);
    protocol::append_number(out, R"(,"listeners":)", row.listeners);
    protocol::append_number(out, R"(,"members":)", row.members);
    protocol::append_number(out, R"(,"lag":)", row.lag);
    protocol::append_number(out, R"(,"window_bytes":)", row.window_bytes);
    protocol::append_number(out, R"(,"history_messages":)", row.history_messages);
    protocol::append_number(out, R"(,"history_bytes":)", row.history_bytes);
    out += '}';
}

// The heaviest of all shards in one list; which shards owe their answer, and whether any looked at
// a part only.
template <typename Row>
std::string report(std::string_view name, const Question& question,
                   std::vector<std::optional<core::Inspected<Row>>> answers) {
    std::vector<Row> rows;
    std::string silent;
    std::size_t looked_at = 0;
    bool all = true;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (!answers[i]) {
            if (!silent.empty()) silent += ',';
            protocol::append_decimal(silent, i);
            continue;
        }
        looked_at += answers[i]->looked_at;
        all = all && answers[i]->all;
        std::ranges::move(answers[i]->rows, std::back_inserter(rows));
    }
    std::ranges::stable_sort(rows, [&](const Row& a, const Row& b) {
        return weight_of(a, question.by) > weight_of(b, question.by);
    });
    if (rows.size() > question.top)
        rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(question.top), rows.end());

    std::string out = R"({"by":)";
    protocol::append_json_string(out, question.by == Weight::lag ? "lag" : "bytes");
    protocol::append_number(out, R"(,"looked_at":)", looked_at);
    protocol::append_boolean(out, R"(,"all":)", all && silent.empty());
    out.append(R"(,"silent_shards":[)").append(silent).append("],\"").append(name).append("\":[");
    for (const Row& row : rows) {
        if (out.back() != '[') out += ',';
        append_row(out, row);
    }
    return out + "]}";
}

class DebugFrontend final : public Frontend {
public:
    explicit DebugFrontend(const ServerView& view) noexcept : view_(&view) {}

    bool owns(const HttpTarget& target) const noexcept override {
        return target.path == sessions_path || target.path == "/debug/rooms";
    }

    std::optional<HttpResponse> handle(Exchange& exchange) override {
        if (auto refused = refuse_other_methods(exchange)) return refused;
        const auto read = read_question(exchange.query);
        if (const auto* wrong = std::get_if<std::string_view>(&read)) return problem(400, *wrong);
        const auto& question = std::get<Question>(read);
        return fresh("application/json",
                     exchange.path == sessions_path ? sessions(question) : rooms(question));
    }

private:
    static constexpr std::string_view sessions_path = "/debug/sessions";

    [[nodiscard]] std::string sessions(const Question& question) const {
        return report("sessions", question,
                      ask_shards<LaggingSession>(*view_->hub, [question](core::Shard& shard) {
                          return core::inspect_sessions(shard, question.by, question.top);
                      }));
    }
    [[nodiscard]] std::string rooms(const Question& question) const {
        return report("rooms", question,
                      ask_shards<InspectedRoom>(*view_->hub, [question](core::Shard& shard) {
                          return core::inspect_rooms(shard, question.by, question.top);
                      }));
    }

    const ServerView* view_;
};

}  // namespace

std::unique_ptr<Frontend> make_debug_frontend(const ServerView& view) {
    return std::make_unique<DebugFrontend>(view);
}

}  // namespace parley::transports::admin
