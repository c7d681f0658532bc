// store_bench: what a history store takes and gives: acked sends a second from many senders, pages
// and searches in a long room, through the core's own homes.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/at_home.hpp"
#include "core/hub.hpp"
#include "protocol/json_codec.hpp"
#include "storage/postgres_store.hpp"
#include "storage/sqlite_store.hpp"
#include "support/awaited_loop.hpp"

namespace parley::bench {
namespace {

using core::Duration;
using core::TimePoint;
using std::chrono::duration;
using std::chrono::milliseconds;

struct Options {
    std::string store;
    std::size_t senders = 1'000;
    std::size_t rooms = 100;
    double seconds = 5;
    std::uint64_t messages = 1'000'000;
    std::size_t questions = 2'000;
    std::vector<std::string> parts{"sync", "async", "fill", "pages", "search"};
};

TimePoint mono_now() {
    return core::monotonic_now();
}

// A store, and one shard that uses it.
class Site {
public:
    Site(const Options& options, core::Durability durability) : config_(config_of(durability)) {
        const auto tell = [](const std::string& error) {
            if (!error.empty()) std::cerr << "trouble: " << error << "\n";
        };
        constexpr std::string_view sqlite = "sqlite:";
        if (options.store.starts_with(sqlite)) {
            store_ = std::make_unique<storage::SqliteStore>(options.store.substr(sqlite.size()),
                                                            config_, tell);
        } else {
            store_ = std::make_unique<storage::PostgresStore>(options.store, config_, tell);
        }
        hub_ = std::make_unique<core::Hub>(config_, std::vector<core::ShardLoop*>{&loop_},
                                           core::machine_now(), 1, store_.get());
    }
    ~Site() {
        hub_->settle(core::machine_now());
        store_.reset();
    }
    Site(const Site&) = delete;
    Site& operator=(const Site&) = delete;

    [[nodiscard]] core::Hub& hub() { return *hub_; }
    [[nodiscard]] core::Shard& shard() { return hub_->shard(0); }
    [[nodiscard]] storage::Engine& store() { return *store_; }
    [[nodiscard]] const storage::EngineCounters& counters() const {
        return std::as_const(*store_).counters();
    }
    [[nodiscard]] std::uint64_t queued() const { return std::as_const(*store_).queue().messages(); }
    void turn() {
        loop_.wait_until(mono_now() + milliseconds(5));
        const auto now = core::machine_now();
        shard().set_now(now);
        shard().timers().advance(now.mono);
        shard().turn(now);
    }
    void until(const std::function<bool()>& done) {
        while (!done()) turn();
    }
    core::HistorySlice page(const std::string& room, const core::StoredPage& asked) {
        std::optional<core::Stored<core::HistorySlice>> got;
        store_->page(shard(), room, asked,
                     [&got](core::Stored<core::HistorySlice>&& answer) { got = answer; });
        until([&] { return got.has_value(); });
        if (!*got) throw std::runtime_error(got->error().message);
        return **got;
    }
    core::HistorySlice search(const std::string& room, const std::string& query) {
        std::optional<core::Stored<core::HistorySlice>> got;
        store_->search(shard(), room, {query, 0, 50},
                       [&got](core::Stored<core::HistorySlice>&& answer) { got = answer; });
        until([&] { return got.has_value(); });
        if (!*got) throw std::runtime_error(got->error().message);
        return **got;
    }

private:
    static core::Config config_of(core::Durability durability) {
        core::Config config;
        config.limits.enabled = false;
        config.history.durability = durability;
        return config;
    }
    core::Config config_;
    test::AwaitedLoop loop_;
    std::unique_ptr<storage::Engine> store_;
    std::unique_ptr<core::Hub> hub_;
};

void report(const std::string& what, std::vector<double> took_ms) {
    std::ranges::sort(took_ms);
    const auto at = [&took_ms](double share) {
        return took_ms[static_cast<std::size_t>(share * static_cast<double>(took_ms.size() - 1))];
    };
    std::cout << what << "  p50 " << at(0.5) << " ms, p99 " << at(0.99) << " ms, max "
              << took_ms.back() << " ms (" << took_ms.size() << ")\n"
              << std::flush;
}

double in_ms(Duration time) {
    return duration<double, std::milli>(time).count();
}

// Each sender sends again once its message was acked.
class Senders {
public:
    Senders(Site& site, const Options& options)
        : site_(site), user_(site.hub().user_named("127.0.0.1", "ann")) {
        for (std::size_t i = 0; i < options.senders; ++i) {
            senders_.push_back({"sends-" + std::to_string(i % options.rooms), {}, false});
        }
    }
    void run(double seconds) {
        const auto end =
            mono_now() + std::chrono::duration_cast<Duration>(duration<double>(seconds));
        while (mono_now() < end) {
            for (Sender& sender : senders_) {
                if (!sender.waits) send(sender);
            }
            site_.turn();
        }
        site_.until([this] {
            return std::ranges::none_of(senders_, [](const Sender& s) { return s.waits; });
        });
    }
    std::vector<double> took_ms;
    std::uint64_t refused = 0;

private:
    struct Sender {
        std::string room;
        TimePoint since;
        bool waits;
    };
    void send(Sender& sender) {
        sender.waits = true;
        sender.since = mono_now();
        site_.shard().when_open(
            sender.room, [this, &sender](core::Shard& home, const core::OpenRefusal& refusal) {
                if (refusal) return answered(sender, false);
                const core::Later<core::AckAnswer> later = [this, &sender] {
                    return [this, &sender](core::AckAnswer&& ack) {
                        answered(sender, ack.has_value());
                    };
                };
                const protocol::Body body{protocol::Body::Kind::text, text_};
                auto ack = core::send_at_home(home, user_, {sender.room, body, {}, {}}, later);
                if (ack) answered(sender, ack->has_value());
            });
    }
    void answered(Sender& sender, bool acked) {
        sender.waits = false;
        if (acked) {
            took_ms.push_back(in_ms(mono_now() - sender.since));
        } else {
            ++refused;
        }
    }
    Site& site_;
    core::UserPtr user_;
    std::string text_ = std::string(64, 'x');
    std::vector<Sender> senders_;
};

void measure_sends(const Options& options, core::Durability durability) {
    Site site(options, durability);
    Senders senders(site, options);
    senders.run(1);  // the rooms open
    senders.took_ms.clear();
    const auto before = site.counters().messages.load();
    const auto batches = site.counters().batches.load();
    const auto began = mono_now();
    senders.run(options.seconds);
    site.until([&site] { return site.queued() == 0; });
    const double took = in_ms(mono_now() - began) / 1e3;
    const auto written = static_cast<double>(site.counters().messages.load() - before);
    const auto many = static_cast<double>(site.counters().batches.load() - batches);
    const char* name = durability == core::Durability::sync ? "sync " : "async";
    std::cout << name << "  " << static_cast<std::uint64_t>(written / took)
              << " messages/s written, " << written / many << " a batch, " << senders.refused
              << " refused\n";
    report(std::string(name) + " acks", senders.took_ms);
}

// One word in ten messages, one in a thousand, one in a hundred thousand, and one in each.
std::string text_of(std::uint64_t n, std::mt19937_64& luck) {
    std::string text = "everybody says";
    for (int i = 0; i < 8; ++i) text += " word" + std::to_string(luck() % 20'000);
    if (n % 10 == 0) text += " often";
    if (n % 1'000 == 0) text += " seldom";
    if (n % 100'000 == 0) text += " rarely";
    return text;
}

const std::string long_room = "long";

void fill(const Options& options) {
    Site site(options, core::Durability::async);
    std::mt19937_64 luck(1);
    std::optional<core::Stored<core::StoredRoom>> room;
    site.store().open(site.shard(), long_room, *protocol::Epoch::parse("E1"),
                      [&room](core::Stored<core::StoredRoom>&& got) { room = std::move(got); });
    site.until([&room] { return room.has_value(); });
    const auto began = mono_now();
    for (std::uint64_t n = (*room)->last_offset + 1; n <= options.messages; ++n) {
        std::string json;
        protocol::append_message(json, {long_room,
                                        {(*room)->epoch, n},
                                        {"id", "ann"},
                                        {protocol::Body::Kind::text, text_of(n, luck)},
                                        {},
                                        "2026-01-31T23:59:59.999Z"});
        site.store().append(site.shard(), long_room,
                            {core::Retained::make(n, json), "", "", core::machine_now().wall}, n);
        if (!site.store().accepting()) site.until([&site] { return site.store().accepting(); });
    }
    site.until([&site] { return site.queued() == 0; });
    std::cout << "fill   " << in_ms(mono_now() - began) / 1e3 << " s\n";
    // A search that finds words not noted yet waits for them for a while, then looks them through.
    const auto indexing = mono_now();
    constexpr milliseconds at_once{200};
    for (auto asked = TimePoint(); mono_now() - asked > at_once;) {
        asked = mono_now();
        site.search(long_room, "everybody");
    }
    std::cout << "index  " << in_ms(mono_now() - indexing) / 1e3 << " s more\n" << std::flush;
}

void measure_pages(const Options& options) {
    Site site(options, core::Durability::sync);
    std::mt19937_64 luck(2);
    for (const bool backwards : {true, false}) {
        std::vector<double> took;
        for (std::size_t i = 0; i < options.questions; ++i) {
            const std::uint64_t at = 51 + luck() % (options.messages - 100);
            const auto began = mono_now();
            const auto got = site.page(
                long_room, {backwards ? at : 0, backwards ? 0 : at, options.messages, 50});
            took.push_back(in_ms(mono_now() - began));
            if (got.messages.size() != 50) throw std::runtime_error("not a page of 50");
        }
        report(backwards ? "page of 50 before" : "page of 50 after ", std::move(took));
    }
}

void measure_searches(const Options& options) {
    Site site(options, core::Durability::sync);
    for (const char* query : {"everybody", "often", "seldom", "rarely", "word77 word88",
                              "\"everybody says\"", "nowhere", "seldom often", "wor*"}) {
        std::vector<double> took;
        std::size_t found = 0;
        try {
            for (std::size_t i = 0; i < std::max<std::size_t>(10, options.questions / 50); ++i) {
                const auto began = mono_now();
                found = site.search(long_room, query).messages.size();
                took.push_back(in_ms(mono_now() - began));
            }
        } catch (const std::runtime_error& refused) {  // one that took too long, for one
            std::cout << "search " << query << "  " << refused.what() << '\n';
            continue;
        }
        report(std::string("search ") + query + ", " + std::to_string(found) + " found,",
               std::move(took));
    }
}

void run(const Options& options) {
    const auto wanted = [&options](const char* part) {
        return std::ranges::find(options.parts, part) != options.parts.end();
    };
    if (wanted("sync")) measure_sends(options, core::Durability::sync);
    if (wanted("async")) measure_sends(options, core::Durability::async);
    if (wanted("fill")) fill(options);
    if (wanted("pages")) measure_pages(options);
    if (wanted("search")) measure_searches(options);
}

}  // namespace
}  // namespace parley::bench

int main(int argc, char** argv) {
    parley::bench::Options options;
    CLI::App app("What a history store takes and gives in a second. It writes to that store.");
    app.add_option("--store", options.store, "sqlite:PATH or postgres:URL")->required();
    app.add_option("--senders", options.senders, "who each wait for an ack before they send again")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();
    app.add_option("--rooms", options.rooms, "that they send in")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();
    app.add_option("--seconds", options.seconds, "of sending")->capture_default_str();
    app.add_option("--messages", options.messages, "in the room that is read and searched")
        ->check(CLI::Range(1'000, 100'000'000))
        ->capture_default_str();
    app.add_option("--questions", options.questions, "pages that are asked for")
        ->check(CLI::Range(10, 1'000'000))
        ->capture_default_str();
    app.add_option("--parts", options.parts, "of it all")
        ->check(CLI::IsMember({"sync", "async", "fill", "pages", "search"}))
        ->delimiter(',');
    CLI11_PARSE(app, argc, argv);
    try {
        parley::bench::run(options);
    } catch (const std::exception& error) {
        std::cerr << "store_bench: " << error.what() << "\n";
        return 2;
    }
}
