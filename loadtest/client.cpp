#include "loadtest/client.hpp"

#include <algorithm>

#include "loadtest/engine_posts.hpp"

namespace parley::load {
namespace {

// The smallest that the kernel gives: a slow reader's window must fill soon.
constexpr int slow_receive_buffer_bytes = 2048;
constexpr std::uint64_t slow_receive_buffer_bytes_max = std::uint64_t{1} << 20;

}  // namespace

void Client::open(std::int64_t now_ns, bool from_start, ClientContext& context) {
    line_.drop_unsent();
    user_.open(line_.out(), now_ns, from_start, context.users);
    connect(context);
}

void Client::come_back(std::int64_t now_ns, ClientContext& context) {
    line_.drop_unsent();
    user_.come_back(line_.out(), now_ns, context.users);
    connect(context);
}

void Client::vanish(ClientContext& context) {
    user_.vanish(context.users);
    close();
    line_.drop_unsent();
}

int Client::receive_buffer(const ClientContext& context) const {
    const Persona::Reading reading = context.users.plan.scenario.reading_of(user_.index());
    // A mere pause is no smaller window.
    if (reading.bytes > slow_receive_buffer_bytes_max) return 0;
    return std::max(slow_receive_buffer_bytes, static_cast<int>(reading.bytes));
}

void Client::connect(ClientContext& context) {
    abandon_if(line_.open(Tag{user_.index()}.value(), user_.index(),
                          user_.slow() ? receive_buffer(context) : 0, context),
               context);
}

// The connection ended where it might: the same user goes on over a fresh one.
void Client::reconnect(ClientContext& context) {
    line_.close();
    line_.drop_unsent();
    user_.reopen(line_.out(), context.users);
    connect(context);
}

void Client::on_writable(ClientContext& context) {
    const bool was_ready = line_.ready();
    abandon_if(line_.on_writable(context), context);
    if (!was_ready) count_resumed(line_, context);
}

void Client::count_resumed(const Line& line, ClientContext& context) {
    if (line.ready() && line.stream().resumed()) ++user_.tally(context.users).resumed_tls;
}

void Client::prefetch() const noexcept {
    constexpr std::size_t cache_line = 64;
    const auto* const self = reinterpret_cast<const char*>(this);
    for (std::size_t at = 0; at < sizeof *this; at += cache_line) __builtin_prefetch(self + at);
}

std::size_t Client::on_readable(ClientContext& context, std::size_t bytes_max, bool ends) {
    if (!line_.ready()) {
        abandon_if(line_.on_readable(context), context);
        if (!line_.ready()) return 0;
        count_resumed(line_, context);
    }
    const std::size_t size_max = std::min(context.buffer.size(), bytes_max);
    std::size_t sum = 0;
    bool more = true;
    while (more) {
        const auto [result, bytes] = line_.read(context.buffer.first(size_max));
        if (result == Stream::Result::ended || result == Stream::Result::failed) {
            on_end(result == Stream::Result::ended ? "the server closed the connection"
                                                   : "read: " + line_.stream().describe_error(),
                   context);
            break;
        }
        if (bytes == 0) break;
        sum += bytes;
        take(bytes, context);
        more = sum < bytes_max && (line_.may_hold_more(size_max, bytes) || (ends && line_.ready()));
    }
    return sum;
}

void Client::take(std::size_t size, ClientContext& context) {
    context.now_ns = context.clock();
    Tally& tally = user_.tally(context.users);
    if (tally.in_window(context.now_ns)) tally.bytes_in_window += size;
    user_.receive(context.buffer.first(size), context.now_ns, line_.out(), context.users);
    if (line_.unsent() > 0) abandon_if(line_.flush(context), context);
    if (user_.state() == VirtualUser::State::closed) return close();
    if (user_.reconnects()) reconnect(context);
    tend_posts(context);
    if (posts_) abandon_if(posts_->flush(context), context);
}

void Client::on_end(const std::string& why, ClientContext& context) {
    if (user_.state() == VirtualUser::State::ready && user_.resumes()) return reconnect(context);
    abandon(why, context);
}

// What is to be posted goes to the second line, which is opened where there is none.
void Client::tend_posts(ClientContext& context) {
    EnginePosts* const posts = user_.posts();
    if (posts == nullptr || !posts->due() || !connected()) return;
    if (!posts_) posts_ = std::make_unique<Line>();
    if (posts_->connected()) return posts->append(posts_->out(), context.users);
    posts_->drop_unsent();
    posts->on_fresh_connection();
    posts->append(posts_->out(), context.users);
    abandon_if(posts_->open(Tag{user_.index(), true}.value(), user_.index(), 0, context), context);
}

void Client::on_posts_writable(ClientContext& context) {
    const bool was_ready = posts_->ready();
    abandon_if(posts_->on_writable(context), context);
    if (!was_ready) count_resumed(*posts_, context);
}

void Client::on_posts_readable(ClientContext& context, bool ends) {
    if (!posts_->ready()) abandon_if(posts_->on_readable(context), context);
    while (posts_->ready()) {
        const auto [result, bytes] = posts_->read(context.buffer);
        if (result == Stream::Result::ended || result == Stream::Result::failed) {
            posts_->close();
            // Between two answers it may: a fresh one is opened when there is something to post.
            if (!user_.posts()->may_end()) abandon("a POST's connection ended", context);
            return;
        }
        if (bytes == 0) return;
        user_.posts()->receive(user_, context.buffer.first(bytes), context.users);
        if (user_.state() == VirtualUser::State::closed) return close();
        if (user_.posts()->must_end()) posts_->close();
        tend_posts(context);
        abandon_if(posts_->flush(context), context);
        if (!posts_->may_hold_more(context.buffer.size(), bytes) && !ends) return;
    }
}

void Client::publish(const Stamp& message, ClientContext& context) {
    user_.publish(message, line_.out(), context.users);
    tend_posts(context);
}

void Client::leave(ClientContext& context) {
    user_.leave(line_.out(), context.users);
    if (user_.state() == VirtualUser::State::closed) close();
}

void Client::flush(ClientContext& context) {
    abandon_if(line_.flush(context), context);
    if (posts_) abandon_if(posts_->flush(context), context);
}

void Client::abandon(std::string_view why, ClientContext& context) {
    user_.cut_off(why, context.users);
    close();
    line_.drop_unsent();
}

void Client::abandon_if(const std::string& why, ClientContext& context) {
    if (!why.empty()) abandon(why, context);
}

void Client::close() {
    line_.close();
    if (!posts_) return;
    posts_->close();
    posts_->drop_unsent();
}

void Client::watch_reads(bool on, ClientContext& context) {
    const bool changes = connected() && on != watching_reads();
    line_.watch_reads(on, context);
    // What TLS has taken off the socket already wakes nobody.
    if (changes && on && line_.stream().holds_bytes()) on_readable(context);
}

}  // namespace parley::load
