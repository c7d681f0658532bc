#include "transports/http_connection.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "transports/any_stream.hpp"
#include "transports/connection.hpp"
#include "transports/gate.hpp"
#include "transports/http_exchange.hpp"
#include "transports/http_parse.hpp"
#include "transports/http_relay.hpp"
#include "transports/http_write.hpp"
#include "transports/log.hpp"

namespace parley::transports {
namespace {

using boost::asio::ip::tcp;

// In a drain: an idle connection is no session that would come back at once, but whoever polls may be
// about to ask, and is told then.
constexpr std::chrono::milliseconds last_word_time{1'000};
// Content that is copied behind its head: one buffer is one argument of send(), two are a message.
constexpr std::size_t joined_bytes_max = 1024;
// Requests that are answered one after another before the loop may see to others.
constexpr unsigned exchanges_per_round = 32;

// True where a read of less than was asked for has left nothing behind.
template <typename Stream>
constexpr bool short_read_empties = requires {
    requires Stream::short_read_empties;
};

template <typename Stream>
class HttpConnection final : public Connection {
public:
    HttpConnection(Gate& gate, Stream stream, const tcp::endpoint& peer, AdmissionRefusal refusal)
        : gate_(gate),
          stream_(std::in_place_type<Stream>, std::move(stream)),
          peer_(peer),
          refusal_(refusal),
          closing_(refusal == AdmissionRefusal::none && gate.draining()),
          accepted_(gate.now()),
          parser_(limits()),
          deadline_(*this) {
        is_refused() ? gate_.add_refused(*this) : gate_.add(*this);
    }
    ~HttpConnection() override {
        deadline_.cancel();
        if (!taken_over_) {
            io().close();
            gate_.descriptor_closed();
        }
        is_refused() ? gate_.remove_refused(*this) : gate_.remove(*this);
    }

    // Serves request by request; first of all it answers what a frontend has kept, where it has.
    Awaitable<void> run(std::optional<HttpResumption> kept);

    bool announce_drain() noexcept override {
        closing_ = true;
        if (parser_.begun() || taken_over_) return false;
        stage_ = Stage::idle;
        arm(last_word_time);
        return true;
    }
    void close(const core::CloseReason&) noexcept override {
        closing_ = true;
        // A request that has begun is answered still; its own time-outs bound it.
        if (!parser_.begun()) io().cancel();
    }
    void abort() noexcept override {
        closing_ = true;
        if (taken_over_) return;
        io().close();
        wake_waiting();
    }

    // ---- for what is read and written on its behalf (http_write, http_relay)

    [[nodiscard]] Gate& gate() noexcept { return gate_; }
    [[nodiscard]] Stream& io() noexcept { return *std::get_if<Stream>(&stream_); }
    [[nodiscard]] HttpParser& parser() noexcept { return parser_; }
    // Hands the parser what was read.
    HttpParser::Status take(std::span<char> bytes);
    // Ends what is waited for from then on: overdue().
    void arm(core::Duration time) {
        deadline_.passed = false;
        gate_.arm(deadline_, gate_.now() + time);
    }
    [[nodiscard]] bool overdue() const noexcept { return deadline_.passed; }
    // Waits there for `time` at most; false where nothing may be done any more.
    Awaitable<bool> wait_at(WaitPoint& point, core::Duration time);

private:
    struct Deadline : core::Timer {
        explicit Deadline(HttpConnection& owner) noexcept
            : Timer([](core::Timer& timer) noexcept {
                  auto& self = static_cast<Deadline&>(timer);
                  self.passed = true;
                  self.connection->wake();
              }),
              connection(&owner) {}
        HttpConnection* connection;
        bool passed = false;
    };
    enum class Stage : std::uint8_t { idle, head, body };
    enum class Received : std::uint8_t {
        request,
        answered,   // streamed_ is the answer to a request whose body was handed on
        refused,    // parser_ knows why
        timed_out,  // within a request
        nothing,    // the connection ended, or is to end without a word
    };
    // What follows a request's answer.
    enum class Then : std::uint8_t {
        next,    // another request
        wait,    // finish(): it is not answered yet, or not as a whole
        nothing  // the connection ended or was taken over
    };
    // An answer that is not over once it was begun: the peer does not take all of it yet, its body is
    // to be read from somewhere, or it is the last of its connection.
    struct Unfinished {
        HttpResponse response;
        std::string head;
        std::size_t written;  // of the head and the content behind it
    };

    HttpLimits limits() noexcept {
        HttpLimits limits;
        limits.head.head_bytes = gate_.config().header_bytes;
        limits.head.target_bytes = gate_.config().target_bytes;
        limits.asked = this;
        limits.body_of = [](void* asked, const HttpRequest& request) {
            // The first to need to know whose the request is; nobody has to find out again.
            auto& self = *static_cast<HttpConnection*>(asked);
            self.destination_ = destination_of(self.gate_, request);
            return body_rule(self.gate_, request, self.destination_);
        };
        return limits;
    }

    [[nodiscard]] bool is_refused() const noexcept { return refusal_ != AdmissionRefusal::none; }
    void note(core::Metric metric) noexcept { gate_.shard().metrics().add(metric); }
    [[nodiscard]] std::span<char> unparsed() noexcept {
        return std::span(pending_).subspan(pending_begin_);
    }

    Awaitable<Received> receive();
    void follow_stage();
    // Ends whatever is waited for.
    void wake() noexcept {
        io().cancel();
        wake_waiting();
    }
    void wake_waiting() noexcept {
        if (later_) later_->give_up();
        if (waiting_ != nullptr) waiting_->wake();
    }
    Awaitable<Received> receive_streamed();
    void note_first_request() noexcept;
    Then respond(Received received);
    Then ask(Identity identity);
    Then conclude(HttpResponse response);
    Awaitable<bool> finish();
    Awaitable<Then> identify_and_ask();
    Awaitable<IdentityOutcome> identify();
    Awaitable<std::optional<HttpResponse>> wait_for_answer();
    Awaitable<bool> finish_answer(Unfinished& answer);
    void await_next();
    [[nodiscard]] bool head_only() const noexcept {
        return parser_.request().method() == boost::beast::http::verb::head;
    }
    [[nodiscard]] std::string_view content_of(const HttpResponse& response) const noexcept;
    [[nodiscard]] HttpResponse refusal_of(Received received);

    Gate& gate_;
    AnyStream stream_;
    tcp::endpoint peer_;
    AdmissionRefusal refusal_;
    bool closing_;
    bool taken_over_ = false;
    bool first_noted_ = false;
    bool noted_ = false;  // the request that comes next is counted already
    core::TimePoint accepted_;
    Stage stage_ = Stage::head;
    HttpParser parser_;
    Destination destination_{};  // of the request at hand, once its head is whole
    Deadline deadline_;
    unsigned round_ = 0;   // exchanges since the loop saw to others
    std::string pending_;  // read and not yet parsed: an incomplete head, or what was pipelined
    std::size_t pending_begin_ = 0;
    bool emptied_ = false;          // by the last read: nothing is there before the next wait
    WaitPoint* waiting_ = nullptr;  // where the coroutine is, beside the stream
    std::unique_ptr<HttpResponse> streamed_;
    std::shared_ptr<LaterAnswer> later_;  // while a frontend has it asked for elsewhere
    std::unique_ptr<Unfinished> unfinished_;
};

template <typename Stream>
Awaitable<void> HttpConnection<Stream>::run(std::optional<HttpResumption> kept) {
    arm(is_refused() ? refused_time : gate_.config().head_timeout);
    if (kept) {
        // From the loop: who gives the stream back is in the middle of something, and what was
        // pipelined behind the request may lead back there.
        co_await boost::asio::post(gate_.thread().executor(), await_tuple);
        if (!io().is_open()) co_return;  // cut off meanwhile
        first_noted_ = true;             // its connection's first request is long answered
        if (!kept->answer) {
            noted_ = true;  // where it was read
            pending_ = std::move(kept->request) + kept->following;
        } else {
            pending_ = std::move(kept->following);
            std::span<char> head(kept->request);
            if (parser_.feed(head) != HttpParser::Status::complete) co_return;
            const Then then = conclude(std::move(*kept->answer));
            if (then == Then::nothing || (then == Then::wait && !co_await finish())) co_return;
            await_next();
        }
        kept.reset();  // the coroutine's frame stays for as long as the connection does
    }
    for (;;) {
        const Received received = co_await receive();
        if (received == Received::nothing) co_return;
        const Then then = respond(received);
        if (then == Then::nothing || (then == Then::wait && !co_await finish())) co_return;
        await_next();
        if (++round_ < exchanges_per_round) continue;
        round_ = 0;
        co_await boost::asio::post(gate_.thread().executor(), await_tuple);
        if (!io().is_open()) co_return;  // cut off meanwhile
    }
}

// Answers what was received, as far as that needs no waiting.
template <typename Stream>
auto HttpConnection<Stream>::respond(Received received) -> Then {
    const bool whole = received == Received::request || received == Received::answered;
    if (!whole) return conclude(refusal_of(received));
    if (!std::exchange(noted_, false)) note(core::Metric::http_requests);
    note_first_request();
    if (received == Received::answered) return conclude(std::move(*std::exchange(streamed_, {})));
    // Who it is that shows a token may have to be asked elsewhere.
    if (!is_refused() && shows_token(gate_, parser_.request())) return Then::wait;
    return ask({});
}

template <typename Stream>
HttpResponse HttpConnection<Stream>::refusal_of(Received received) {
    HttpResponse response;
    if (received == Received::timed_out) {
        note(stage_ == Stage::body ? core::Metric::http_body_timeouts
                                   : core::Metric::http_head_timeouts);
        response = problem(408, "the request did not arrive in time");
    } else {
        note(core::Metric::http_malformed);
        response = problem(parser_.refusal().status, parser_.refusal().detail);
    }
    response.close = true;
    return response;
}

template <typename Stream>
void HttpConnection<Stream>::await_next() {
    parser_.reset();
    destination_ = {};
    // A connection may stand idle for long: what it does not need is given back.
    if (unparsed().empty()) {
        pending_ = {};
        pending_begin_ = 0;
    }
    stage_ = Stage::idle;
    arm(gate_.config().idle_timeout);
}

// Reads one request, or why there is none. What followed it stays in pending_.
template <typename Stream>
auto HttpConnection<Stream>::receive() -> Awaitable<Received> {
    auto status = take({});
    for (;;) {
        if (status == HttpParser::Status::complete) co_return Received::request;
        if (status == HttpParser::Status::refused) co_return Received::refused;
        if (status == HttpParser::Status::streams) co_return co_await receive_streamed();
        follow_stage();
        if (parser_.take_expect_continue() &&
            !co_await write_all(*this, "HTTP/1.1 100 Continue\r\n\r\n", {})) {
            co_return Received::nothing;
        }
        // Read first, ask later: a request is often there when its connection is accepted. But not
        // where the last read has emptied the socket: that would be a system call a request.
        const std::span<char> buffer = gate_.thread().receive_buffer();
        const IoResult read = std::exchange(emptied_, false)
                                  ? IoResult{IoResult::Status::would_block, 0}
                                  : io().try_read(buffer);
        if (read.status == IoResult::Status::done) {
            emptied_ = short_read_empties<Stream> && read.bytes < buffer.size();
            status = take(buffer.first(read.bytes));
            continue;
        }
        if (read.status != IoResult::Status::would_block) co_return Received::nothing;
        if (closing_ && !parser_.begun()) co_return Received::nothing;
        const auto [error] = co_await io().wait_readable(await_tuple);
        if (overdue()) {
            if (closing_ && !parser_.begun()) co_return Received::nothing;
            if (stage_ != Stage::idle) co_return Received::timed_out;
            note(core::Metric::http_idle_timeouts);
            co_return Received::nothing;
        }
        if (error) co_return Received::nothing;
        round_ = 0;
    }
}

// Parses straight from the shard's buffer; only what is incomplete is copied.
template <typename Stream>
HttpParser::Status HttpConnection<Stream>::take(std::span<char> bytes) {
    if (unparsed().empty()) {
        const auto status = parser_.feed(bytes);
        pending_.assign(bytes.data(), bytes.size());
        pending_begin_ = 0;
        return status;
    }
    if (!bytes.empty()) {
        // Once a read, not once a request: many small ones may have come together.
        pending_.erase(0, std::exchange(pending_begin_, 0));
        pending_.append(bytes.data(), bytes.size());
    }
    std::span<char> rest = unparsed();
    const auto status = parser_.feed(rest);
    pending_begin_ = pending_.size() - rest.size();
    return status;
}

// Waits for what is neither the peer nor a frontend's one answer.
template <typename Stream>
Awaitable<bool> HttpConnection<Stream>::wait_at(WaitPoint& point, core::Duration time) {
    arm(time);
    waiting_ = &point;
    co_await point.wait();
    waiting_ = nullptr;
    co_return io().is_open() && !overdue();
}

// A request whose body somebody takes as it comes, from the end of its head to its answer.
template <typename Stream>
auto HttpConnection<Stream>::receive_streamed() -> Awaitable<Received> {
    BodyIntake intake;
    if (is_refused()) {
        intake.refusal =
            refuse_newcomer(gate_, refusal_, parser_.request(), destination_, peer_, stream_)
                .response;
    } else {
        Identity identity;
        if (shows_token(gate_, parser_.request())) {
            IdentityOutcome who = co_await identify();
            intake.refusal = std::move(who.refusal);
            if (!intake.refusal && who.later) co_return Received::nothing;  // cut off meanwhile
            identity = std::move(who.identity);
        }
        if (!intake.refusal) {
            intake = ask_receiver(gate_, parser_.request(), destination_, peer_, stream_,
                                  std::move(identity));
        }
    }
    if (intake.refusal) {
        // What was to come is not read, and could not be told from another request.
        intake.refusal->close = true;
        streamed_ = std::make_unique<HttpResponse>(std::move(*intake.refusal));
        co_return Received::answered;
    }
    BodySink& sink = *intake.sink;
    sink.when_answered([this] { io().cancel(); });
    stage_ = Stage::body;
    emptied_ = false;
    const bool whole = co_await relay_body(*this, sink);
    if (whole) {
        sink.end();
        bool open = true;
        while (open && !sink.answered()) {
            open = co_await wait_at(sink.waiting(), gate_.config().body_timeout);
        }
    }
    if (!io().is_open()) co_return Received::nothing;
    streamed_ = sink.take_answer();
    if (streamed_) {
        streamed_->close = streamed_->close || !whole;
        co_return Received::answered;
    }
    if (parser_.refusal().status != 0) co_return Received::refused;
    if (!overdue()) co_return Received::nothing;
    if (!whole && !sink.behind()) co_return Received::timed_out;
    // The peer has done its part.
    note(core::Metric::answers_overdue);
    streamed_ = std::make_unique<HttpResponse>(answer_overdue());
    streamed_->close = true;
    co_return Received::answered;
}

// Each part of a request has a time of its own.
template <typename Stream>
void HttpConnection<Stream>::follow_stage() {
    if (is_refused()) return;
    if (stage_ == Stage::idle && parser_.begun()) {
        stage_ = Stage::head;
        arm(gate_.config().head_timeout);
    }
    if (stage_ == Stage::head && parser_.head_done()) {
        stage_ = Stage::body;
        arm(gate_.config().body_timeout);
    }
}

template <typename Stream>
void HttpConnection<Stream>::note_first_request() noexcept {
    if (std::exchange(first_noted_, true)) return;
    const auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(gate_.now() - accepted_);
    gate_.shard().metrics().record(
        core::Measure::handshake,
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, took.count())));
}

// The request answered or handed over by whoever owns its path.
template <typename Stream>
auto HttpConnection<Stream>::ask(Identity identity) -> Then {
    const HttpRequest& request = parser_.request();
    HttpOutcome outcome =
        is_refused() ? refuse_newcomer(gate_, refusal_, request, destination_, peer_, stream_)
                     : ask_frontend(gate_, request, destination_, peer_, stream_, unparsed(),
                                    std::move(identity));
    if (outcome.later) {
        later_ = std::move(outcome.later);
        return Then::wait;
    }
    if (!outcome.response) {
        taken_over_ = true;
        return Then::nothing;
    }
    return conclude(std::move(*outcome.response));
}

// Whatever the request at hand still waits for. False: nothing more happens on this connection.
template <typename Stream>
Awaitable<bool> HttpConnection<Stream>::finish() {
    Then then = Then::wait;
    if (!later_ && !unfinished_) then = co_await identify_and_ask();
    if (then == Then::wait && later_) {
        std::optional<HttpResponse> answer = co_await wait_for_answer();
        if (!answer) co_return false;
        then = conclude(std::move(*answer));
    }
    if (then == Then::wait) {
        std::unique_ptr<Unfinished> answer = std::move(unfinished_);
        const bool last = answer->response.close;
        const bool written = co_await finish_answer(*answer);
        answer.reset();  // what brings its body is not held while the client is listened to
        if (written && last) co_await hear_out(*this);
        co_return written && !last;
    }
    co_return then == Then::next;
}

template <typename Stream>
auto HttpConnection<Stream>::identify_and_ask() -> Awaitable<Then> {
    IdentityOutcome who = co_await identify();
    if (who.refusal) co_return conclude(std::move(*who.refusal));
    if (who.later) co_return Then::nothing;  // cut off meanwhile
    co_return ask(std::move(who.identity));
}

// Who makes the request. Still with a question where the connection was cut off.
template <typename Stream>
Awaitable<IdentityOutcome> HttpConnection<Stream>::identify() {
    IdentityOutcome who = ask_identity(gate_, parser_.request(), destination_, peer_, stream_);
    if (!who.later) co_return who;
    later_ = who.later;
    std::optional<HttpResponse> answer = co_await wait_for_answer();
    if (!answer) co_return who;
    if (!who.later->known) {  // it is overdue
        who.refusal = std::move(answer);
        co_return who;
    }
    // It may have been revoked while this waited to go on: a session that is opened by it now is ended
    // at once (core::SignedIn).
    take_identity(who, *who.later->known);
    who.later.reset();
    co_return who;
}

// Writes as much of the answer as the peer takes now: all of it, as a rule.
template <typename Stream>
auto HttpConnection<Stream>::conclude(HttpResponse response) -> Then {
    const HttpRequest& request = parser_.request();
    response.close = response.close || closing_ || !parser_.keep_alive();
    complete_answer(gate_, request, destination_, response);
    std::string head;
    append_head(head, response, {request.version() == 10 ? 10U : 11U, gate_.http_date()});
    if (response.content().size() <= joined_bytes_max) {
        head += content_of(response);
        response.body.clear();
        response.fixed_body = {};
    }
    std::string_view head_left = head;
    std::string_view content_left = content_of(response);
    const std::size_t bytes = head.size() + content_left.size();
    const IoResult::Status status = write_ready(io(), head_left, content_left);
    if (status == IoResult::Status::done && !response.source && !response.close) return Then::next;
    if (status != IoResult::Status::done && status != IoResult::Status::would_block) {
        if (response.undelivered) response.undelivered();
        return Then::nothing;
    }
    const std::size_t written = bytes - head_left.size() - content_left.size();
    unfinished_ =
        std::make_unique<Unfinished>(Unfinished{std::move(response), std::move(head), written});
    return Then::wait;
}

// The rest of an answer. False: it could not be written.
template <typename Stream>
Awaitable<bool> HttpConnection<Stream>::finish_answer(Unfinished& answer) {
    HttpResponse& response = answer.response;
    const std::size_t of_head = std::min(answer.written, answer.head.size());
    bool written = co_await write_all(*this, std::string_view(answer.head).substr(of_head),
                                      content_of(response).substr(answer.written - of_head));
    if (written && response.source && !head_only()) {
        written = co_await write_source(*this, *response.source);
    }
    if (!written && response.undelivered) response.undelivered();
    co_return written;
}

// The answer that a frontend gave later, or has not given in time. Nothing: the connection was cut
// off meanwhile.
template <typename Stream>
Awaitable<std::optional<HttpResponse>> HttpConnection<Stream>::wait_for_answer() {
    arm(gate_.config().answer_timeout);
    std::optional<HttpResponse> response = co_await later_->wait();
    later_.reset();
    if (!response && overdue()) {
        gate_.shard().metrics().add(core::Metric::answers_overdue);
        response = answer_overdue();
    }
    co_return response;
}

// What goes out behind the head, of what is held here.
template <typename Stream>
std::string_view HttpConnection<Stream>::content_of(const HttpResponse& response) const noexcept {
    return head_only() ? std::string_view() : response.content();
}

template <typename Stream>
Awaitable<void> go_on(Gate& gate, Stream stream, tcp::endpoint peer, HttpResumption kept) {
    HttpConnection<Stream> connection(gate, std::move(stream), peer, AdmissionRefusal::none);
    co_await connection.run(std::move(kept));
}

}  // namespace

template <typename Stream>
Awaitable<void> serve_http(Gate& gate, Stream stream, tcp::endpoint peer,
                           AdmissionRefusal refusal) {
    HttpConnection<Stream> connection(gate, std::move(stream), peer, refusal);
    co_await connection.run(std::nullopt);
}

template <typename Stream>
void resume_http(Gate& gate, Stream stream, const tcp::endpoint& peer, HttpResumption kept) {
    boost::asio::co_spawn(gate.thread().executor(),
                          go_on(gate, std::move(stream), peer, std::move(kept)),
                          &log_failed_connection);
}

void log_failed_connection(const std::exception_ptr& failure) {
    if (!failure) return;
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& error) {
        log::error("connection failed", {{"error", error.what()}});
    }
}

std::string kept_head(const HttpRequest& request, std::string_view path) {
    namespace http = boost::beast::http;
    // The method and the version, and what decides on keep-alive, CORS and the coding.
    std::string head(request.method_string());
    head.append(" ").append(path);
    head.append(request.version() == 10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
    for (const http::field name : {http::field::host, http::field::connection, http::field::origin,
                                   http::field::accept_encoding}) {
        const auto [first, last] = request.equal_range(name);
        for (auto field = first; field != last; ++field) {
            head.append(field->name_string()).append(": ").append(field->value()).append("\r\n");
        }
    }
    return head += "\r\n";
}

template Awaitable<void> serve_http<TcpStream>(Gate&, TcpStream, tcp::endpoint, AdmissionRefusal);
template Awaitable<void> serve_http<TlsStream>(Gate&, TlsStream, tcp::endpoint, AdmissionRefusal);
template void resume_http<TcpStream>(Gate&, TcpStream, const tcp::endpoint&, HttpResumption);
template void resume_http<TlsStream>(Gate&, TlsStream, const tcp::endpoint&, HttpResumption);

}  // namespace parley::transports
