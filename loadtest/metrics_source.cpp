#include "loadtest/metrics_source.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "loadtest/http_reader.hpp"
#include "loadtest/stream.hpp"

namespace parley::load {
namespace {

// Behind the labels of a sample, or what follows its name at once; nothing where they do not end.
std::optional<std::string_view> skip_labels(std::string_view rest) {
    if (!rest.starts_with('{')) return rest;
    bool quoted = false;
    for (std::size_t i = 1; i < rest.size(); ++i) {
        if (quoted && rest[i] == '\\') {
            ++i;
        } else if (rest[i] == '"') {
            quoted = !quoted;
        } else if (rest[i] == '}' && !quoted) {
            return rest.substr(i + 1);
        }
    }
    return std::nullopt;
}

std::optional<double> parse_value(std::string_view rest) {
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (rest.starts_with('+')) rest.remove_prefix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (error != std::errc{} || !(value == value)) return std::nullopt;
    return value;
}

// One request and its answer over a socket that does not wait, with waiting.
class Scrape {
public:
    Scrape(const Addresses& addresses, const TlsContext* tls)
        : until_ns_(monotonic_ns() + MetricsSource::scrape_ns_max) {
        result_ = stream_.connect(addresses, tls, 0);
        if (result_ != Stream::Result::done || !wait(POLLOUT)) return;
        result_ = stream_.finish_connecting();
        while (result_ == Stream::Result::done || waits()) {
            if (waits() && !wait(events())) return;
            result_ = stream_.secure();
            if (result_ == Stream::Result::done) return;
        }
    }

    Checked<std::string> ask(std::string_view request) {
        while (!request.empty() && may_go_on()) {
            const auto [result, bytes] = stream_.write(request);
            result_ = result;
            request.remove_prefix(bytes);
        }
        HttpReader reader;
        std::array<char, 16384> buffer{};
        while (may_go_on()) {
            const auto [result, bytes] = stream_.read(buffer);
            result_ = result;
            const std::string_view text(buffer.data(), bytes);
            const auto step = reader.feed(text);
            if (step.event == HttpReader::Event::failed) return Problem{reader.error()};
            if (step.event == HttpReader::Event::need_more) continue;
            if (reader.status() != 200) return Problem{"HTTP " + std::to_string(reader.status())};
            return {boost::system::in_place_value, reader.body()};
        }
        return why();
    }

private:
    [[nodiscard]] bool waits() const {
        return result_ == Stream::Result::want_read || result_ == Stream::Result::want_write;
    }
    [[nodiscard]] short events() const {
        return result_ == Stream::Result::want_write ? POLLOUT : POLLIN;
    }
    // Until the socket is ready; false when the time is over.
    bool wait(short events) {
        const std::int64_t left_ns = until_ns_ - monotonic_ns();
        pollfd socket{stream_.fd(), events, 0};
        const int left_ms = static_cast<int>(std::max<std::int64_t>(0, left_ns / ns_per_ms));
        late_ = ::poll(&socket, 1, left_ms) == 0;
        return !late_;
    }
    // The last step was done, or can be tried again by now.
    bool may_go_on() {
        if (late_) return false;
        return result_ == Stream::Result::done || (waits() && wait(events()));
    }
    [[nodiscard]] Problem why() const {
        if (late_) return Problem{"no answer within 1 s"};
        if (result_ == Stream::Result::ended) return Problem{"the connection was closed"};
        return Problem{stream_.describe_error()};
    }

    Stream stream_;
    Stream::Result result_ = Stream::Result::done;
    std::int64_t until_ns_;
    bool late_ = false;
};

}  // namespace

std::optional<double> metric_sum(std::string_view text, std::string_view name) {
    std::optional<double> sum;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::string_view line = text.substr(at, end - at);
        at = end + 1;
        if (!line.starts_with(name)) continue;
        line.remove_prefix(name.size());
        if (line.empty() || (line.front() != '{' && line.front() != ' ' && line.front() != '\t')) {
            continue;  // a longer name
        }
        const auto rest = skip_labels(line);
        const auto value = rest ? parse_value(*rest) : std::nullopt;
        if (!value) return std::nullopt;
        sum = sum.value_or(0) + *value;
    }
    return sum;
}

Checked<std::unique_ptr<MetricsSource>> MetricsSource::make(const Url& url, const TlsOptions& tls) {
    Scenario scenario;
    scenario.url = url;
    auto addresses = resolve_addresses(scenario);
    if (!addresses) return addresses.error();
    auto context = TlsContext::make(url, tls);
    if (!context) return context.error();
    std::unique_ptr<MetricsSource> source(new MetricsSource);
    source->url_ = url;
    source->addresses_ = std::move(*addresses);
    source->tls_ = std::move(*context);
    return source;
}

Checked<std::string> MetricsSource::scrape() const {
    const bool ipv6 = url_.host.find(':') != std::string::npos;
    const std::string host =
        (ipv6 ? "[" + url_.host + "]" : url_.host) + ":" + std::to_string(url_.port);
    HttpRequest head;
    head.host = host;
    head.accept = "text/plain; version=0.0.4";
    std::string request;
    append_get(request, url_.path, head);
    return Scrape(addresses_, tls_.get()).ask(request);
}

}  // namespace parley::load
