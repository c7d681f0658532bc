#include "transports/log.hpp"

#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <utility>

#include "core/clock.hpp"
#include "protocol/json_codec.hpp"
#include "protocol/utf8.hpp"

namespace parley::transports::log {
namespace {

constexpr std::array<std::pair<Level, std::string_view>, 5> level_names{{
    {Level::debug, "debug"},
    {Level::info, "info"},
    {Level::warn, "warn"},
    {Level::error, "error"},
    {Level::off, "off"},
}};
constexpr std::array<std::pair<Format, std::string_view>, 2> format_names{{
    {Format::text, "text"},
    {Format::json, "json"},
}};

// The first byte of what write() hands to spdlog, so that the formatter can tell fields that are
// already JSON from a plain message of somebody who called spdlog.
constexpr char rendered_mark = '\x1f';

Format format_in_force = Format::text;  // written by set_up() before there are threads

std::string valid_utf8(std::string_view text) {
    std::string out(text);
    if (protocol::is_valid_utf8(text)) return out;
    std::replace_if(
        out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
    return out;
}

void append_quoted(std::string& out, std::string_view text) {
    protocol::append_json_string(out, valid_utf8(text));
}

bool is_plain(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return c > ' ' && c < 0x7F && c != '"' && c != '\\' && c != '=';
    });
}

struct ValueAppender {
    std::string& out;
    Format format;

    void operator()(std::string_view text) const {
        if (format == Format::text && is_plain(text)) {
            out += text;
        } else {
            append_quoted(out, text);
        }
    }
    void operator()(bool flag) const { out += flag ? "true" : "false"; }
    void operator()(double number) const {
        if (std::isfinite(number)) {
            out += spdlog::fmt_lib::format("{}", number);
        } else {
            out += "null";  // JSON has no word for it
        }
    }
    void operator()(std::int64_t number) const { out += std::to_string(number); }
    void operator()(std::uint64_t number) const { out += std::to_string(number); }
};

// A newline in a message would forge a second line.
void append_message_text(std::string& out, std::string_view message) {
    for (const char c : valid_utf8(message)) {
        out.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
    }
}

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::debug:
            return spdlog::level::debug;
        case Level::info:
            return spdlog::level::info;
        case Level::warn:
            return spdlog::level::warn;
        case Level::error:
            return spdlog::level::err;
        case Level::off:
            return spdlog::level::off;
    }
    return spdlog::level::info;
}

std::string_view name_of(spdlog::level::level_enum level) {
    if (level <= spdlog::level::debug) return "debug";
    if (level == spdlog::level::info) return "info";
    return level == spdlog::level::warn ? "warn" : "error";
}

class LineFormatter final : public spdlog::formatter {
public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
        std::string_view body(message.payload.data(), message.payload.size());
        std::string plain;
        if (!body.empty() && body.front() == rendered_mark) {
            body.remove_prefix(1);
        } else {
            plain = render(format_in_force, body, {});
            body = plain;
        }
        const auto time = core::format_rfc3339(
            std::chrono::time_point_cast<core::WallTime::duration>(message.time));
        std::string line;
        if (format_in_force == Format::json) {
            line += "{\"time\":\"" + time + "\",\"level\":\"";
            line += name_of(message.level);
            line += "\",";
            line += body;
            line += "}\n";
        } else {
            line += time + ' ';
            line += name_of(message.level);
            line += ' ';
            line += body;
            line += '\n';
        }
        out.append(line.data(), line.data() + line.size());
    }
    [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
        return std::make_unique<LineFormatter>();
    }
};

// Ours from the first line on, so that what is said before set_up() looks like the rest.
spdlog::logger& logger() {
    static const auto instance = [] {
        auto made = std::make_shared<spdlog::logger>(
            "parley", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_formatter(std::make_unique<LineFormatter>());
        made->flush_on(spdlog::level::debug);
        spdlog::set_default_logger(made);
        return made;
    }();
    return *instance;
}

void write(Level level, std::string_view message, Fields fields) {
    if (!logger().should_log(to_spdlog(level))) return;
    const auto body = rendered_mark + render(format_in_force, message, fields);
    logger().log(to_spdlog(level), spdlog::string_view_t(body.data(), body.size()));
}

template <class Names>
auto value_from(const Names& names, std::string_view name)
    -> std::optional<typename Names::value_type::first_type> {
    for (const auto& row : names) {
        if (row.second == name) return row.first;
    }
    return std::nullopt;
}

}  // namespace

std::string render(Format format, std::string_view message, Fields fields) {
    std::string out;
    if (format == Format::json) {
        out += "\"msg\":";
        append_quoted(out, message);
    } else {
        append_message_text(out, message);
    }
    for (const auto& field : fields) {
        if (format == Format::json) {
            out += ',';
            append_quoted(out, field.key);
            out += ':';
        } else {
            out += ' ';
            out += field.key;
            out += '=';
        }
        std::visit(ValueAppender{out, format}, field.value);
    }
    return out;
}

void set_up(Level level, Format format) {
    format_in_force = format;
    set_level(level);
}

void set_level(Level level) {
    logger().set_level(to_spdlog(level));
}

void debug(std::string_view message, Fields fields) {
    write(Level::debug, message, fields);
}
void info(std::string_view message, Fields fields) {
    write(Level::info, message, fields);
}
void warn(std::string_view message, Fields fields) {
    write(Level::warn, message, fields);
}
void error(std::string_view message, Fields fields) {
    write(Level::error, message, fields);
}

std::string_view name_of(Level level) {
    return level_names[static_cast<std::size_t>(level)].second;
}
std::optional<Level> level_from(std::string_view name) {
    return value_from(level_names, name);
}
std::string_view name_of(Format format) {
    return format_names[static_cast<std::size_t>(format)].second;
}
std::optional<Format> format_from(std::string_view name) {
    return value_from(format_names, name);
}

}  // namespace parley::transports::log
