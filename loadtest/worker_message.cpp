#include "loadtest/worker_message.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

namespace parley::load {
namespace {

namespace json = boost::json;

constexpr std::size_t length_bytes = 4;

}  // namespace

void append_message(std::string& out, const json::object& message) {
    const std::string text = json::serialize(message);
    for (int shift = 24; shift >= 0; shift -= 8) {
        out.push_back(static_cast<char>(text.size() >> shift & 0xff));
    }
    out += text;
}

std::optional<json::object> MessageReader::next() {
    if (!error_.empty()) return std::nullopt;
    const std::string_view rest = std::string_view(bytes_).substr(taken_);
    std::size_t length = 0;
    if (rest.size() < length_bytes) return std::nullopt;
    for (std::size_t i = 0; i < length_bytes; ++i) {
        length = length << 8 | static_cast<unsigned char>(rest[i]);
    }
    if (length > message_bytes_max) {
        error_ = "a message of " + std::to_string(length) + " bytes: expected " +
                 std::to_string(message_bytes_max) + " at most";
        return std::nullopt;
    }
    if (rest.size() - length_bytes < length) return std::nullopt;
    boost::system::error_code failed;
    json::value value = json::parse(rest.substr(length_bytes, length), failed);
    json::object* const message = failed ? nullptr : value.if_object();
    if (message == nullptr || type_of(*message).empty()) {
        error_ = "a message that is no JSON object with a type";
        return std::nullopt;
    }
    taken_ += length_bytes + length;
    if (taken_ == bytes_.size()) {
        bytes_.clear();
        taken_ = 0;
    }
    return std::move(*message);
}

MessageWire::MessageWire(FileDescriptor fd) : fd_(std::move(fd)) {}

void MessageWire::send(const json::object& message) {
    if (broken()) return;
    if (!unsent()) {
        out_.clear();
        sent_ = 0;
    }
    append_message(out_, message);
}

bool MessageWire::pump() {
    return !broken() && send_some() && take_some();
}

bool MessageWire::send_some() {
    while (unsent()) {
        const ssize_t size = ::send(fd_.get(), out_.data() + sent_, out_.size() - sent_,
                                    MSG_NOSIGNAL | MSG_DONTWAIT);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && errno == EAGAIN) return true;
        if (size < 0) {
            // What the other side said before it went may still be unread.
            (void)take_some();
            if (why_.empty()) why_ = std::system_category().message(errno);
            return false;
        }
        sent_ += static_cast<std::size_t>(size);
    }
    return true;
}

bool MessageWire::take_some() {
    std::array<char, 65536> buffer;
    for (;;) {
        const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && errno == EAGAIN) return true;
        if (size <= 0) {
            why_ = size == 0 ? "the connection was closed" : std::system_category().message(errno);
            return false;
        }
        reader_.feed({buffer.data(), static_cast<std::size_t>(size)});
    }
}

std::optional<json::object> MessageWire::take() {
    auto message = reader_.next();
    if (!message && why_.empty()) why_ = reader_.error();
    return message;
}

void MessageWire::wait(int timeout_ms) {
    pollfd waiting{fd_.get(), static_cast<short>(unsent() ? POLLIN | POLLOUT : POLLIN), 0};
    (void)::poll(&waiting, 1, timeout_ms);
}

std::string_view type_of(const json::object& message) {
    const json::value* const type = message.if_contains("type");
    if (type == nullptr || !type->is_string()) return {};
    return {type->get_string().data(), type->get_string().size()};
}

std::optional<std::uint64_t> number_in(const json::object& message, std::string_view name) {
    const json::value* const found = message.if_contains({name.data(), name.size()});
    boost::system::error_code error;
    if (found == nullptr || found->is_double() || !found->is_number()) return std::nullopt;
    const auto number = found->to_number<std::uint64_t>(error);
    return error ? std::nullopt : std::optional(number);
}

std::string text_in(const json::object& message, std::string_view name) {
    const json::value* const found = message.if_contains({name.data(), name.size()});
    return found != nullptr && found->is_string() ? std::string(found->get_string().c_str())
                                                  : std::string();
}

json::array rooms_to_json(const std::vector<std::uint64_t>& rooms) {
    json::array out;
    for (std::size_t room = 0; room < rooms.size(); ++room) {
        if (rooms[room] == 0) continue;
        out.emplace_back(room);
        out.emplace_back(rooms[room]);
    }
    return out;
}

std::optional<std::vector<std::uint64_t>> rooms_from_json(const json::object& message,
                                                          std::size_t rooms) {
    const json::value* const found = message.if_contains("accepted");
    const json::array* const pairs = found != nullptr ? found->if_array() : nullptr;
    if (pairs == nullptr || pairs->size() % 2 != 0) return std::nullopt;
    std::vector<std::uint64_t> out(rooms, 0);
    for (std::size_t i = 0; i < pairs->size(); i += 2) {
        boost::system::error_code bad_room;
        boost::system::error_code bad_count;
        if (!(*pairs)[i].is_number() || !(*pairs)[i + 1].is_number()) return std::nullopt;
        const auto room = (*pairs)[i].to_number<std::uint64_t>(bad_room);
        const auto count = (*pairs)[i + 1].to_number<std::uint64_t>(bad_count);
        if (bad_room || bad_count || room >= rooms) return std::nullopt;
        out[room] += count;
    }
    return out;
}

}  // namespace parley::load
