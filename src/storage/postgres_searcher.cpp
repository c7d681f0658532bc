#include "storage/postgres_searcher.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "core/clock.hpp"
#include "protocol/utf8.hpp"
#include "storage/search_terms.hpp"

namespace parley::storage {
namespace {

namespace sql = postgres_sql;

// The server gives a search up after this (set below); one that does not even do that is not there.
constexpr milliseconds patience{3'000};
constexpr const char* set_search_time_max = "SELECT set_config('statement_timeout', '1s', false)";
constexpr milliseconds search_wait_max{5'000};
// So long words are noted for a search; what is not noted by then it looks through.
constexpr milliseconds prepare_max{500};

// Looked through before the index is asked: 1,024 messages, some 5 µs each.
constexpr std::uint64_t newest_blocks = 16;
constexpr std::uint64_t all_blocks = 0;

constexpr std::array statements{&sql::search};

}  // namespace

std::string tsquery_of(std::string_view query) {
    std::string out;
    if (!protocol::is_valid_utf8(query) || query.find('\0') != std::string_view::npos) return out;
    for (const SearchTerm& term : search_terms(query)) {
        out += out.empty() ? "'" : " & '";
        for (const char c : term.words) {
            // What a quoted part of a tsquery needs twice.
            if (c == '\'' || c == '\\') out += c;
            out += c;
        }
        out += term.beginning ? "':*" : "'";
    }
    return out;
}

std::string words_of(std::string_view query) {
    std::string out;
    for (const SearchTerm& term : search_terms(query)) out.append(term.words).append(" ");
    return out;
}

void PostgresSearcher::take(SearchRequest&& request) {
    const auto now = core::monotonic_now();
    questions_.push_back(
        {std::move(request), context().taken, now + prepare_max, now + search_wait_max});
}

awaitable<void> PostgresSearcher::go_up() {
    co_await connect();
    connection().send_sql(set_search_time_max);
    co_await prepare(statements);
}

void PostgresSearcher::went_down() {
    refuse();
}

void PostgresSearcher::refuse() {
    for (Question& question : std::exchange(questions_, {})) refuse(std::move(question.request));
}

void PostgresSearcher::refuse(SearchRequest&& request) {
    Engine::answer<core::HistorySlice>(
        *request.home, std::move(request.done),
        core::store_unavailable("messages can't be searched at the moment"));
}

awaitable<void> PostgresSearcher::step() {
    refuse_late();
    auto request = next();
    if (request) {
        co_await search(*std::move(request));
    } else {
        co_await wait(next_due());
    }
}

void PostgresSearcher::refuse_late() {
    const auto now = core::monotonic_now();
    while (!questions_.empty() && questions_.front().give_up <= now) {
        refuse(std::move(questions_.front().request));
        questions_.pop_front();
    }
}

std::optional<SearchRequest> PostgresSearcher::next() {
    const auto found =
        std::ranges::find_if(questions_, [this](Question& each) { return is_ready(each); });
    if (found == questions_.end()) return std::nullopt;
    SearchRequest request = std::move(found->request);
    questions_.erase(found);
    return request;
}

bool PostgresSearcher::is_ready(Question& question) {
    if (question.behind > context().settled) return false;
    const std::string& room = question.request.room;
    if (!std::exchange(question.prepared, true)) keeper_.hurry(room);
    return !keeper_.hurries(room) || core::monotonic_now() >= question.look_through;
}

core::TimePoint PostgresSearcher::next_due() const noexcept {
    auto due = core::TimePoint::max();
    for (const Question& question : questions_) {
        due = std::min(due, question.prepared ? question.look_through : question.give_up);
    }
    return due;
}

awaitable<void> PostgresSearcher::search(SearchRequest request) {
    std::exception_ptr failure;
    try {
        auto answer = co_await find(request.room, request.asked);
        Engine::answer<core::HistorySlice>(*request.home, std::move(request.done),
                                           std::move(answer));
        works();
    } catch (...) {
        failure = std::current_exception();
    }
    if (!failure) co_return;
    refuse(std::move(request));
    std::rethrow_exception(failure);
}

awaitable<core::Stored<core::HistorySlice>> PostgresSearcher::find(
    const std::string& room, const core::StoredSearch& asked) {
    const auto terms = search_terms(asked.query);
    // A beginning may stand for many words, and the index gathers the blocks of all of them before
    // it gives the first: where it is common, the newest messages have enough of it.
    if (std::ranges::any_of(terms, &SearchTerm::beginning)) {
        auto newest = co_await find(room, asked, newest_blocks);
        if (newest && newest->more) co_return newest;
    }
    co_return co_await find(room, asked, all_blocks);
}

awaitable<core::Stored<core::HistorySlice>> PostgresSearcher::find(const std::string& room,
                                                                   const core::StoredSearch& asked,
                                                                   std::uint64_t blocks) {
    const std::string query = tsquery_of(asked.query);
    if (query.empty()) co_return core::HistorySlice();
    const std::string words = words_of(asked.query);
    constexpr std::uint64_t all = std::numeric_limits<std::int64_t>::max();
    PostgresParameters which;
    which.text(room)
        .number(asked.before == 0 ? all : std::min(asked.before, all))
        .text(words)
        .text(query)
        .number(std::uint64_t{asked.limit} + 1)
        .number(blocks);
    connection().send(sql::search, which);
    try {
        const auto results = co_await connection().run(patience);
        co_return slice_of(results.front(), asked.limit, true);
    } catch (const PostgresError& error) {
        if (!error.took_too_long()) throw;
    }
    co_return core::store_unavailable("the search takes too long: name more or rarer words");
}

}  // namespace parley::storage
